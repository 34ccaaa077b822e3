"""The videos that ELAN files link."""

from __future__ import annotations

from pathlib import Path

import pympi
import pytest

from socialcli.converting.report import Report, SourceError
from socialcli.converting.transcripts.linked_media import linked_videos, origin_of
from socialcli.converting.transcripts.reading import read_transcript


def linking(folder: Path, *media: tuple[str, str | None, str, str | None]) -> Path:
    """An ELAN file with one line at 0.5 s, and media: each a URL, a relative address, a type and an offset."""
    made = pympi.Eaf()
    made.remove_tier("default")
    made.add_tier("Anna")
    made.add_annotation("Anna", 500, 1500, "Did he take it?")
    for url, relative, kind, origin in media:
        made.add_linked_file(url, relpath=relative, mimetype=kind, time_origin=origin)
    file = folder / "corpus" / "talk.eaf"
    file.parent.mkdir(exist_ok=True)
    made.to_file(str(file))
    return file


def test_videos_are_found_by_relative_address_and_beside_the_file(tmp_path: Path) -> None:
    file = linking(
        tmp_path,
        ("file:///C:/corpus/my%20talk.mp4", "../video/my%20talk.mp4", "video/mp4", None),
        ("file:///home/a/sound.wav", "./sound.wav", "audio/x-wav", None),
        ("file:///D:/side.mov", None, "application/octet-stream", "40"),
    )
    first, second = linked_videos(file)
    assert (first.name, first.file, first.origin) == ("my talk.mp4", None, 0.0)
    assert (second.name, second.file, second.origin) == ("side.mov", None, 0.04)
    for place in (file.parent / "side.mov", file.parent / "my talk.mp4", tmp_path / "video" / "my talk.mp4"):
        place.parent.mkdir(exist_ok=True)
        place.touch()
    first, second = linked_videos(file)
    assert first.file == file.parent / "../video/my talk.mp4" and second.file == file.parent / "side.mov"


def test_only_places_beside_the_file_count(tmp_path: Path) -> None:
    """An ELAN file of somebody else must not choose which file of this computer is read."""
    video = tmp_path / "elsewhere" / "talk.mp4"
    video.parent.mkdir()
    video.touch()
    for relative in (str(video), video.as_uri(), f"C:{video}", None):
        (found,) = linked_videos(linking(tmp_path, (video.as_uri(), relative, "video/mp4", None)))
        assert found.file is None and found.name == "talk.mp4"


def test_lines_follow_the_offset_of_the_video(tmp_path: Path) -> None:
    file = linking(tmp_path, ("file:///talk.mp4", None, "video/mp4", "2000"))
    starts = [
        [line.start for line in read_transcript(file, Report(False), video=video)]
        for video in (tmp_path / "talk.mp4", tmp_path / "other.mp4", None)
    ]
    assert starts == [[2.5], [0.5], [0.5]]


def test_a_bad_offset_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=r"talk\.eaf:MEDIA_DESCRIPTOR\.TIME_ORIGIN: is '2 s', and must be milliseconds"
    ):
        origin_of(linking(tmp_path, ("file:///talk.mp4", None, "video/mp4", "2 s")), tmp_path / "talk.mp4")
