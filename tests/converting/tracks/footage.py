"""A clip and how its tracks are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socialcli.converting.report import Report
from socialcli.converting.tracks.clock import Clock
from socialcli.converting.tracks.reading import read_tracks
from socialcli.converting.tracks.records import Footage, Track

from ...video.clips import write_video

SIZE = (128, 48)


def clip(folder: Path, fps: float | None = None, first: int | None = None) -> Footage:
    """A video of 40 frames in 4 seconds, 128 x 48 pixels, called talk.mp4."""
    file = folder / "talk.mp4"
    if not file.exists():
        write_video(file, 40, rate=10)
    return Footage(Clock(file, fps, 4.0, first), SIZE)


def read(path: Path, footage: Footage, report: Report | None = None) -> Sequence[Track]:
    """The tracks of a file that must be of an annotation tool."""
    tracks = read_tracks(path, footage, report or Report(skip_bad=False))
    assert tracks is not None
    return tracks


def saved(folder: Path, value: Any, name: str = "boxes.json") -> Path:
    """A JSON file with a value."""
    file = folder / name
    file.write_text(json.dumps(value), encoding="utf-8")
    return file


def rounded(track: Track) -> list[tuple[float, tuple[float, ...]]]:
    """The boxes of a track, rounded."""
    return [(round(time, 4), tuple(round(edge, 3) for edge in edges)) for time, edges in track.boxes]
