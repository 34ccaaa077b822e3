"""Boxes from trackers: MOT Challenge files, and CSV files with a header.

A line of an MOT file is `frame, id, left, top, width, height, confidence, ...`, everything counted from 1; a confidence
of 0 marks what the ground truth leaves out (https://motchallenge.net/instructions). A CSV has a header with `label` (or
track, id, speaker), `time` in seconds or `frame` counted from 0, and in pixels either x0, y0, x1, y1 or left, top,
width, height.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from socialcli.converting.boxes import clipped
from socialcli.converting.footage import frame_times
from socialcli.converting.labels import is_missing, normal_id
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import finite, read_text
from socialcli.converting.units import SHARES, check_box_unit, check_seconds
from socialcli.episodes.checking.box_units import Edges
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

_MOT_FIELDS = range(6, 11)  # frame to height; 7 with a confidence, 9 in a ground truth, 10 in what a tracker writes
_Found = tuple[str, float, Edges]  # label, seconds, edges


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

    def pictures(self) -> int:
        """How many pictures the video has. Raises VideoError."""
        return len(self._times)

    @cached_property
    def _times(self) -> tuple[float, ...]:
        return frame_times(self.video)


def read_boxes(
    path: Path, labels: Labels, clock: Clock, size: tuple[int, int], source: tuple[int, int], report: Report
) -> list[Box]:
    """The boxes of the speakers, by time, in pixels of pictures of `size` (width, height).

    `source` is the size of the pictures that the file's boxes were drawn on. Lines that cannot be used are problems of
    `report`. Raises NotThereError, UsageError and SourceError, the last also where none of the file's boxes is left.
    """
    text = read_text(path)
    skipped, counted = report.skipped, report.counts.copy()
    is_mot = _is_mot(path, text)
    read = list((_mot if is_mot else _table)(path, text, clock, report))
    check_box_unit(path, [edges for _, _, edges in read], source)
    times = [time for _, time, _ in read]
    if all(map(math.isfinite, times)):
        check_seconds(path, "boxes", times, clock.length, clock.pictures)
    if is_mot and source != SHARES:  # its pixels are counted from 1
        read = [(label, time, (x0 - 1, y0 - 1, x1 - 1, y1 - 1)) for label, time, (x0, y0, x1, y1) in read]
    found = _kept(read, labels, clock, size, source, report)
    dropped = report.counts - counted + Counter({"lines skipped": report.skipped - skipped})
    if dropped and not found:
        why = "; ".join(f"{number} {what}" for what, number in dropped.items())
        raise SourceError(path, None, None, f"every box was dropped ({why}); correct the file, or leave out --boxes")
    return found


def _kept(
    read: Sequence[_Found],
    labels: Labels,
    clock: Clock,
    size: tuple[int, int],
    source: tuple[int, int],
    report: Report,
) -> list[Box]:
    """The boxes of the speakers that lie in the picture and in the video, by time. What does not is counted."""
    wide, high = size[0] / source[0], size[1] / source[1]
    found: dict[tuple[float, str], Box] = {}
    for label, time, (x0, y0, x1, y1) in read:
        if not clock.shows(time):
            report.count(LATE)
            continue
        speaker = labels.speaker(label, "boxes of the track", report)
        if speaker is None:
            continue
        edges = (x0 * wide, y0 * high, x1 * wide, y1 * high)
        box = clipped(speaker, min(time, clock.length), edges, size, report)
        if box is not None and found.setdefault((box.time, speaker), box) is not box:
            report.count(AGAIN)
    return [found[key] for key in sorted(found)]


def _is_mot(path: Path, text: str) -> bool:
    """Whether the first line begins with the number of a frame and not with the name of a column.

    Raises SourceError where numbers stand there that no commas separate.
    """
    number, first = next(((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()), (1, ""))
    if re.fullmatch(r"[-+.,\deE]*[\deE.]([\s;]+[-+.\deE][-+.,\deE]*){4,}", first.strip()):
        message = "separates numbers without commas; put commas between them, or a header with names above"
        raise SourceError(path, number, None, message)
    return first.count(",") >= 5 and re.match(r"\s*[-+.\deE]+\s*,", first) is not None


def _mot(path: Path, text: str, clock: Clock, report: Report) -> Iterator[_Found]:
    fields = 0  # of the lines above
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            with report.sparing():
                cells = [cell.strip() for cell in line.strip().rstrip(", ").split(",")]
                found = _mot_line(path, number, cells, clock)
                if len(cells) != (fields or len(cells)):
                    message = f"has {len(cells)} fields, and the lines above {fields}; correct the line"
                    raise SourceError(path, number, None, message)
                fields = len(cells)
                if found is None:
                    report.count(IGNORED)
                else:
                    yield found


def _mot_line(path: Path, number: int, cells: Sequence[str], clock: Clock) -> _Found | None:
    """The box of a line, as it is counted there; None where the line itself leaves it out. Raises SourceError."""
    if len(cells) > max(_MOT_FIELDS):
        message = f"has {len(cells)} fields, and a line of an MOT file {max(_MOT_FIELDS)} at most; correct the line"
        raise SourceError(path, number, None, message)
    if len(cells) > 1 and is_missing(cells[1]):
        raise SourceError(path, number, "id", f"is {cells[1]!r}, and so missing; write it, or leave the line out")
    try:
        frame, track, left, top, width, height, *more = map(finite, cells)
    except ValueError:
        message = "is not frame, id, left, top, width, height in numbers; correct the line"
        raise SourceError(path, number, None, message) from None
    if frame < 1 or frame != int(frame):
        raise SourceError(path, number, "frame", f"is {frame:g}; frames are counted from 1")
    if more and more[0] == 0:
        return None
    label = str(int(track)) if track == int(track) else normal_id(cells[1])
    return label, clock.seconds(frame - 1), (left, top, left + width, top + height)


def _table(path: Path, text: str, clock: Clock, report: Report) -> Iterator[_Found]:
    for row in read_table(path, text, {"label": _LABEL}, report):
        with report.sparing():
            yield normal_id(row.text("label")), _time(row, clock), _edges(row)


def _time(row: Row, clock: Clock) -> float:
    column = next((name for name in ("time", "frame") if name in row.values), None)
    if column is None:
        raise UsageError(f"{row.path}: has neither a column time nor a column frame; add one")
    value = row.decimal(column)
    if value < 0:
        raise SourceError(row.path, row.number, column, f"is {value:g}, before the video begins; correct it")
    if column == "time":
        return value
    if value != int(value):
        raise SourceError(row.path, row.number, column, f"is {value:g}, not a whole number; correct it")
    return clock.seconds(value)


def _edges(row: Row) -> Edges:
    if row.values.keys() >= set(_EDGES):
        x0, y0, x1, y1 = (row.decimal(edge) for edge in _EDGES)
        return x0, y0, x1, y1
    if row.values.keys() >= set(_EXTENT):
        left, top, width, height = (row.decimal(edge) for edge in _EXTENT)
        return left, top, left + width, top + height
    raise UsageError(f"{row.path}: has neither the columns {', '.join(_EDGES)} nor {', '.join(_EXTENT)}; add them")
