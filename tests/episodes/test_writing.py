from __future__ import annotations

import stat
from pathlib import Path

import pytest

from socialcli.episodes.reading import read_episodes, read_records
from socialcli.episodes.records import Episode
from socialcli.episodes.writing import EpisodeWriter
from socialcli.errors import AnnotationError, InvalidInputError, NotFoundError

from .samples import changed, record

NAMES = ("e.parquet", "e.jsonl", "e.jsonl.gz")


def write(path: Path, count: int = 3) -> bytes:
    with EpisodeWriter(path) as writer:
        for number in range(count):
            writer.write(record(f"e{number}"))
    return path.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_episodes_make_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "sub").mkdir()
    assert write(tmp_path / name) == write(tmp_path / "sub" / f"other-{name}")


@pytest.mark.parametrize("name", NAMES)
def test_episodes_come_back_as_they_were_written(tmp_path: Path, name: str) -> None:
    episodes = [Episode.from_record(record(f"e{number}")) for number in range(70)]  # more than a row group
    with EpisodeWriter(tmp_path / name) as writer:
        for episode in episodes:
            writer.write(episode)
    assert [row.episode for row in read_episodes(tmp_path / name)] == episodes


@pytest.mark.parametrize("name", NAMES)
def test_records_and_episodes_make_the_same_bytes_however_they_are_spelled(tmp_path: Path, name: str) -> None:
    spelled = record()
    spelled["video"].update(width=640.0, fps=None)
    spelled["questions"][1]["span"] = [4.0, 7]
    contents = set()
    for episode in (record(), spelled, Episode.from_record(record())):
        with EpisodeWriter(tmp_path / name) as writer:
            writer.write(episode)
        contents.add((tmp_path / name).read_bytes())
    assert len(contents) == 1


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    assert "Zoë 🎲" in write(tmp_path / "e.jsonl").decode()


@pytest.mark.parametrize("name", NAMES)
def test_an_error_leaves_nothing_new_and_the_old_file_as_it_was(tmp_path: Path, name: str) -> None:
    before = write(tmp_path / name)
    with pytest.raises(RuntimeError), EpisodeWriter(tmp_path / name) as writer:
        writer.write(record())
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == before


def test_nothing_stands_under_the_name_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    with EpisodeWriter(path) as writer:
        writer.write(record())
        assert not path.exists()
    assert len(list(read_records(path))) == 1


def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    write(tmp_path / "e.jsonl")
    (tmp_path / "plain").touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize("name", NAMES)
def test_what_breaks_the_format_is_refused_and_the_rest_is_kept(tmp_path: Path, name: str) -> None:
    with EpisodeWriter(tmp_path / name) as writer:
        writer.write(record("a"))
        with pytest.raises(AnnotationError, match=r"e\.\S+:2:boxes\[0\].x0: is -5, outside the frame"):
            writer.write(changed(lambda r: r["boxes"][0].update(x0=-5), "b"))
        with pytest.raises(AnnotationError, match='"a" is already used in row 1'):
            writer.write(record("a"))
        writer.write(record("c"))
    assert [row.episode and row.episode.episode_id for row in read_episodes(tmp_path / name)] == ["a", "c"]


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(InvalidInputError, match="is a folder"), EpisodeWriter(tmp_path / "folder.jsonl"):
        pass
    with pytest.raises(NotFoundError, match="no such folder"), EpisodeWriter(tmp_path / "none" / "e.jsonl"):
        pass
    with pytest.raises(InvalidInputError, match="unknown type"), EpisodeWriter(tmp_path / "e.csv"):
        pass
