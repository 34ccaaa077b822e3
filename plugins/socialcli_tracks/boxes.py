"""Boxes from trackers: MOT Challenge files, and CSV files with a header.

A line of an MOT file is `frame, id, left, top, width, height, confidence, ...`, everything counted from 1; a confidence
of 0 marks what the ground truth leaves out (https://motchallenge.net/instructions). A CSV has a header with `label` (or
track, id, speaker), `time` in seconds or `frame` counted from 0, and in pixels either x0, y0, x1, y1 or left, top,
width, height.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from socialcli.converting.boxes import clipped
from socialcli.converting.footage import frame_times
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import finite, read_text
from socialcli.episodes.records import Box
from socialcli.errors import UsageError

from .labels import Labels
from .tables import Row, read_table

_LABEL = ("label", "track", "track_id", "id", "speaker")
_EDGES = ("x0", "y0", "x1", "y1")
_EXTENT = ("left", "top", "width", "height")
IGNORED = "boxes that the file itself leaves out (confidence 0)"
AGAIN = "boxes dropped of a speaker who has another one at that moment"
LATE = "boxes dropped that come after the video's end"

_Edges = tuple[float, float, float, float]
_Found = tuple[str, float, _Edges]  # label, seconds, edges


@dataclass(frozen=True)
class Clock:
    """From the number of a frame to seconds, and which boxes come too late.

    Frames come when those of the `video` do; with a rate `fps`, at that rate. `length` is when it ends.
    """

    video: Path
    fps: float | None
    length: float

    def seconds(self, frame: float) -> float:
        """When a frame, counted from 0, is shown; infinity where the video has no such frame. Raises VideoError."""
        if self.fps is not None:
            return frame / self.fps
        return self._times[int(frame)] if frame < len(self._times) else float("inf")

    def shows(self, time: float) -> bool:
        """Whether the video has a picture at a time or after it, but for rounding."""
        return time <= self.length + 1e-3

    @cached_property
    def _times(self) -> tuple[float, ...]:
        return frame_times(self.video)


def read_boxes(path: Path, labels: Labels, clock: Clock, size: tuple[int, int], report: Report) -> list[Box]:
    """The boxes of the speakers, by time, in pixels of pictures of `size` (width, height).

    Lines that cannot be used are problems of `report`. Raises NotThereError, SourceError and UsageError.
    """
    text = read_text(path)
    found: dict[tuple[float, str], Box] = {}
    for label, time, edges in (_mot if _is_mot(text) else _table)(path, text, clock, report):
        if not clock.shows(time):
            report.count(LATE)
            continue
        speaker = labels.speaker(label, "boxes of the track", report)
        if speaker is None:
            continue
        box = clipped(speaker, min(time, clock.length), edges, size, report)
        if box is not None and found.setdefault((box.time, speaker), box) is not box:
            report.count(AGAIN)
    return [found[key] for key in sorted(found)]


def _is_mot(text: str) -> bool:
    """Whether the first line holds numbers and no names of columns."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    return first.count(",") >= 5 and re.fullmatch(r"[-+.,\d\seE]*", first) is not None


def _values(line: str) -> list[float]:
    """The numbers of a line of an MOT file, without empty ones at its end. Raises ValueError."""
    return [finite(value) for value in line.strip().rstrip(", ").split(",")]


def _mot(path: Path, text: str, clock: Clock, report: Report) -> Iterator[_Found]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            with report.sparing():
                found = _mot_line(path, number, line, clock, report)
                if found is not None:
                    yield found


def _mot_line(path: Path, number: int, line: str, clock: Clock, report: Report) -> _Found | None:
    """The box of a line; None, and counted, where the line itself leaves it out. Raises SourceError."""
    try:
        frame, track, left, top, width, height, *more = _values(line)
    except ValueError:
        message = "is not frame, id, left, top, width, height in numbers; correct the line"
        raise SourceError(path, number, None, message) from None
    if frame < 1 or frame != int(frame):
        raise SourceError(path, number, "frame", f"is {frame:g}; frames are counted from 1")
    if more and more[0] == 0:
        report.count(IGNORED)
        return None
    label = str(int(track)) if track == int(track) else str(track)
    return label, clock.seconds(frame - 1), (left - 1, top - 1, left - 1 + width, top - 1 + height)


def _table(path: Path, text: str, clock: Clock, report: Report) -> Iterator[_Found]:
    for row in read_table(path, text, {"label": _LABEL}, report):
        with report.sparing():
            yield row.text("label"), _time(row, clock), _edges(row)


def _time(row: Row, clock: Clock) -> float:
    column = next((name for name in ("time", "frame") if name in row.values), None)
    if column is None:
        raise UsageError(f"{row.path}: has neither a column time nor a column frame; add one")
    value = row.decimal(column)
    if value < 0:
        raise SourceError(row.path, row.number, column, f"is {value:g}, before the video begins; correct it")
    return value if column == "time" else clock.seconds(value)


def _edges(row: Row) -> _Edges:
    if row.values.keys() >= set(_EDGES):
        x0, y0, x1, y1 = (row.decimal(edge) for edge in _EDGES)
        return x0, y0, x1, y1
    if row.values.keys() >= set(_EXTENT):
        left, top, width, height = (row.decimal(edge) for edge in _EXTENT)
        return left, top, left + width, top + height
    raise UsageError(f"{row.path}: has neither the columns {', '.join(_EDGES)} nor {', '.join(_EXTENT)}; add them")
