"""Boxes from trackers: MOT Challenge files, and CSV files with a header.

A line of an MOT file is `frame, id, left, top, width, height, confidence, ...`, everything counted from 1; a confidence
of 0 marks what the ground truth leaves out (https://motchallenge.net/instructions). A CSV has a header with `label` (or
track, id, speaker), `time` in seconds or `frame` counted from 0, and in pixels either x0, y0, x1, y1 or left, top,
width, height.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.boxes import clipped
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


@dataclass(frozen=True, slots=True)
class Clock:
    """From the number of a frame to seconds; `fps` is None where nobody said it."""

    fps: float | None

    def seconds(self, frame: float, path: Path) -> float:
        """When a frame is shown, counted from 0. Raises UsageError where the frame rate is not known."""
        if self.fps is None:
            raise UsageError(f"{path} counts frames, and the video does not say its frame rate; give it with --fps")
        return frame / self.fps


def read_boxes(path: Path, labels: Labels, clock: Clock, size: tuple[int, int], report: Report) -> list[Box]:
    """The boxes of the speakers, by time, in pixels of pictures of `size` (width, height).

    Lines that cannot be used are problems of `report`. Raises NotThereError, SourceError and UsageError.
    """
    found: dict[tuple[float, str], Box] = {}
    rows = _mot(path, clock, report) if _is_mot(path) else _table(path, clock, report)
    for label, time, edges in rows:
        speaker = labels.speaker(label, "boxes of the track", report)
        if speaker is None:
            continue
        box = clipped(speaker, time, edges, size, report)
        if box is not None and found.setdefault((time, speaker), box) is not box:
            report.count(AGAIN)
    return [found[key] for key in sorted(found)]


_Found = tuple[str, float, tuple[float, float, float, float]]  # label, seconds, edges


def _is_mot(path: Path) -> bool:
    """Whether the first line holds numbers alone."""
    first = next((line for line in read_text(path).split("\n") if line.strip()), "")
    try:
        return len([finite(value) for value in first.split(",") if value.strip()]) >= 6
    except ValueError:
        return False


def _mot(path: Path, clock: Clock, report: Report) -> Iterator[_Found]:
    for number, values in enumerate(csv.reader(read_text(path).split("\n")), start=1):
        if not any(value.strip() for value in values):
            continue
        try:
            frame, track, left, top, width, height, *more = [finite(value) for value in values if value.strip()]
        except ValueError:
            message = "is not frame, id, left, top, width, height in numbers; correct the line"
            report.bad(SourceError(path, number, None, message))
            continue
        if frame < 1 or frame != int(frame):
            report.bad(SourceError(path, number, "frame", f"is {frame:g}; frames are counted from 1"))
        elif more and more[0] == 0:
            report.count(IGNORED)
        else:
            edges = (left - 1, top - 1, left - 1 + width, top - 1 + height)
            yield f"{track:g}", clock.seconds(frame - 1, path), edges


def _table(path: Path, clock: Clock, report: Report) -> Iterator[_Found]:
    for row in read_table(path, {"label": _LABEL}):
        with report.sparing():
            yield row.text("label"), _time(row, clock), _edges(row)


def _time(row: Row, clock: Clock) -> float:
    if "time" in row.values:
        return row.decimal("time")
    if "frame" in row.values:
        return clock.seconds(row.decimal("frame"), row.path)
    raise UsageError(f"{row.path}: has neither a column time nor a column frame; add one")


def _edges(row: Row) -> tuple[float, float, float, float]:
    if row.values.keys() >= set(_EDGES):
        x0, y0, x1, y1 = (row.decimal(edge) for edge in _EDGES)
        return x0, y0, x1, y1
    if row.values.keys() >= set(_EXTENT):
        left, top, width, height = (row.decimal(edge) for edge in _EXTENT)
        return left, top, left + width, top + height
    raise UsageError(f"{row.path}: has neither the columns {', '.join(_EDGES)} nor {', '.join(_EXTENT)}; add them")
