from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from socialcli.files import PendingFile, atomic_write

from .results.samples import disk_of


def test_the_content_replaces_what_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_the_old_content_and_no_debris(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(b"old")
    with pytest.raises(error), atomic_write(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with pytest.raises(OSError, match=r"run\.json") as caught, atomic_write(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


def test_an_error_about_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="other"), atomic_write(tmp_path / "run.json"):
        (tmp_path / "other").read_bytes()


def test_a_pending_file_shows_nothing_until_it_is_committed(tmp_path: Path) -> None:
    pending = PendingFile(tmp_path / "table.parquet")
    pending.file.write(b"rows")
    assert not pending.path.exists()
    pending.commit()
    assert pending.path.read_bytes() == b"rows"


def test_results_are_as_readable_as_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with atomic_write(tmp_path / "run.json") as file:
            file.write(b"{}")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o644


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "nowhere" / "run.json"):
        pass


def test_a_disk_that_is_full_to_the_last_byte_is_reported_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with disk_of(4), pytest.raises(OSError, match=r"run\.json"), atomic_write(path) as file:
        file.write(b"more than that")  # stays in the buffer, which neither commit nor discard can write
    assert list(tmp_path.iterdir()) == []
