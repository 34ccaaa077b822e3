from __future__ import annotations

import os
from pathlib import Path

import pytest

from socialcli.errors import UsageError
from socialcli.results.folder import OutputFolder


def test_the_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "nightly" / "monday")
    folder.prepare(overwrite=False)
    assert folder.path.is_dir()
    assert folder.predictions.parent == folder.path


def test_an_empty_folder_is_fine(tmp_path: Path) -> None:
    OutputFolder(tmp_path).prepare(overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_earlier_results_are_not_replaced_unasked(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path)
    folder.predictions.write_bytes(b"precious")
    with pytest.raises(UsageError, match=r"predictions\.parquet.*--overwrite"):
        folder.prepare(overwrite=False)
    assert folder.predictions.read_bytes() == b"precious"


def test_overwriting_removes_results_and_nothing_else(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path)
    for path in (folder.predictions, folder.accuracy, folder.manifest, tmp_path / "notes.md"):
        path.write_bytes(b"x")
    folder.prepare(overwrite=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "notes.md"]


def test_a_file_in_the_way_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be created"):
        OutputFolder(tmp_path / "out").prepare(overwrite=True)


def test_other_things_in_the_folder_of_parts_are_left_alone(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path)
    (folder.parts / "mine").mkdir(parents=True)
    names = ["000001.parquet", ".000002.parquet.0123abcd.tmp", "set_aside.parquet", "notes.parquet", "mine/1.parquet"]
    for name in names:
        (folder.parts / name).write_bytes(b"x")
    with pytest.raises(UsageError, match=r"\(parts\)"):
        folder.prepare(overwrite=False)
    folder.prepare(overwrite=True)
    assert sorted(path.name for path in folder.parts.iterdir()) == ["mine", "notes.parquet"]
    assert (folder.parts / "mine" / "1.parquet").exists()
    folder.check(overwrite=False)


def test_a_link_in_place_of_the_folder_of_parts_is_followed(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    folder.make()
    folder.parts.symlink_to(tmp_path / "elsewhere")
    (folder.parts / "000001.parquet").write_bytes(b"x")
    folder.remove_parts()
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o555)
    with pytest.raises(UsageError, match="nothing can be written"):
        OutputFolder(tmp_path / "out").prepare(overwrite=False)
