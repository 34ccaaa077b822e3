"""Read trackers' boxes: MOT Challenge files, and CSV files with a header.

A line of an MOT file is `frame, id, left, top, width, height, confidence, ...`, with frames and pixels counted from 1;
a confidence of 0 marks boxes that the ground truth ignores (https://motchallenge.net/instructions). A CSV file has a
header with `label` (or track, id, speaker), `time` in seconds or `frame` counted from 0, and in pixels either x0, y0,
x1, y1 or left, top, width, height.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from socialcli.converting.boxes import clip_box
from socialcli.converting.clip_media import frame_times
from socialcli.converting.labels import is_missing, normal_id
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import parse_finite, read_text
from socialcli.converting.unit_checks import SHARES, check_box_unit, check_seconds
from socialcli.episodes.checking.box_units import Edges
from socialcli.episodes.records import Box
from socialcli.errors import UsageError

from .labels import Labels
from .tables import Row, read_table

_LABEL = ("label", "track", "track_id", "id", "speaker")
_EDGES = ("x0", "y0", "x1", "y1")
_EXTENT = ("left", "top", "width", "height")
IGNORED = "boxes that the file itself ignores (confidence 0)"
AGAIN = "boxes dropped because the speaker has another one at that moment"
LATE = "boxes dropped because they come after the video's end"

_MOT_FIELDS = range(6, 11)  # frame to height; 7 with a confidence, 9 in a ground truth, 10 in what a tracker writes
_Found = tuple[str, float, Edges]  # label, seconds, edges


@dataclass(frozen=True)
class Clock:
    """Converts frame numbers to seconds, and decides which boxes come too late.

    Frame times are those of the `video`, or follow the rate `fps` if given. `length` is the end of the video in
    seconds.
    """

    video: Path
    fps: float | None
    length: float

    def seconds(self, frame: float) -> float:
        """The time of a frame, counted from 0; infinity if the video has no such frame. Raises VideoError."""
        if self.fps is not None:
            return frame / self.fps
        return self._times[int(frame)] if frame < len(self._times) else float("inf")

    def shows(self, time: float) -> bool:
        """Whether the video lasts until `time`, within rounding."""
        return time <= self.length + 1e-3

    def pictures(self) -> int:
        """The number of pictures in the video. Raises VideoError."""
        return len(self._times)

    @cached_property
    def _times(self) -> tuple[float, ...]:
        return frame_times(self.video)


def read_boxes(
    path: Path, labels: Labels, clock: Clock, size: tuple[int, int], source: tuple[int, int], report: Report
) -> list[Box]:
    """The speakers' boxes by time, in pixels of pictures of `size` (width, height).

    `source` is the size of the pictures that the file's boxes refer to. Lines that cannot be used go to `report` as
    problems. Raises NotFoundError, UsageError and SourceError, the last also if every box was dropped.
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
        raise SourceError(path, None, None, f"every box was dropped ({why}); correct the file, or omit --boxes")
    return found


def _kept(
    read: Sequence[_Found],
    labels: Labels,
    clock: Clock,
    size: tuple[int, int],
    source: tuple[int, int],
    report: Report,
) -> list[Box]:
    """The speakers' boxes inside the picture and the video, by time. Others are counted."""
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
        box = clip_box(speaker, min(time, clock.length), edges, size, report)
        if box is not None and found.setdefault((box.time, speaker), box) is not box:
            report.count(AGAIN)
    return [found[key] for key in sorted(found)]


def _is_mot(path: Path, text: str) -> bool:
    """Whether the first line begins with a frame number rather than a column name.

    Raises SourceError if the line has numbers that are not separated by commas.
    """
    number, first = next(((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()), (1, ""))
    if re.fullmatch(r"[-+.,\deE]*[\deE.]([\s;]+[-+.\deE][-+.,\deE]*){4,}", first.strip()):
        message = "has numbers without commas; put commas between them, or add a header with column names"
        raise SourceError(path, number, None, message)
    return first.count(",") >= 5 and re.match(r"\s*[-+.\deE]+\s*,", first) is not None


def _mot(path: Path, text: str, clock: Clock, report: Report) -> Iterator[_Found]:
    fields = 0  # of the lines above
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            with report.skipping_bad():
                cells = [cell.strip() for cell in line.strip().rstrip(", ").split(",")]
                found = _mot_line(path, number, cells, clock)
                if len(cells) != (fields or len(cells)):
                    message = f"has {len(cells)} fields, but the lines above have {fields}; correct the line"
                    raise SourceError(path, number, None, message)
                fields = len(cells)
                if found is None:
                    report.count(IGNORED)
                else:
                    yield found


def _mot_line(path: Path, number: int, cells: Sequence[str], clock: Clock) -> _Found | None:
    """The box of a line, in the file's own counting; None if the line itself ignores it. Raises SourceError."""
    if len(cells) > max(_MOT_FIELDS):
        message = f"has {len(cells)} fields, but a line of an MOT file has at most {max(_MOT_FIELDS)}; correct the line"
        raise SourceError(path, number, None, message)
    if len(cells) > 1 and is_missing(cells[1]):
        raise SourceError(path, number, "id", f"is {cells[1]!r}, which means missing; fill it in, or remove the line")
    try:
        frame, track, left, top, width, height, *more = map(parse_finite, cells)
    except ValueError:
        message = "is not frame, id, left, top, width, height as numbers; correct the line"
        raise SourceError(path, number, None, message) from None
    if frame < 1 or frame != int(frame):
        raise SourceError(path, number, "frame", f"is {frame:g}; frames are counted from 1")
    if more and more[0] == 0:
        return None
    label = str(int(track)) if track == int(track) else normal_id(cells[1])
    return label, clock.seconds(frame - 1), (left, top, left + width, top + height)


def _table(path: Path, text: str, clock: Clock, report: Report) -> Iterator[_Found]:
    for row in read_table(path, text, {"label": _LABEL}, report):
        with report.skipping_bad():
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
