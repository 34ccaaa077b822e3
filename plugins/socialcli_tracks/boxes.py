"""Read boxes of trackers and annotation tools, and keep those of speakers.

`mot`, `columns` and `yolo` describe the forms that trackers write, `socialcli.converting.tracks` those of annotation
tools. Each is read to `_Reading`: boxes with the label of a track, a time, and edges in the file's unit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from socialcli.converting.boxes import clip_box
from socialcli.converting.labels import normal_id
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_text
from socialcli.converting.tracks.clock import Clock
from socialcli.converting.tracks.names import track_names
from socialcli.converting.tracks.reading import read_tracks
from socialcli.converting.tracks.records import Footage, Track
from socialcli.converting.unit_checks import SHARES, check_box_unit, check_seconds, source_size
from socialcli.episodes.checking.box_units import Edges
from socialcli.episodes.records import Box
from socialcli.errors import UsageError

from .columns import SIDES, BoxColumns, extent_fields
from .labels import Labels
from .mot import is_mot, read_mot
from .tables import Row, read_table
from .yolo import is_label_file, read_label_folder

AGAIN = "boxes dropped because the speaker has another one at that moment"
LATE = "boxes dropped because they come after the video's end"


@dataclass(frozen=True, slots=True)
class TrackedBox:
    """A box of a track at a time in seconds; `edges` are x0, y0, x1, y1 in pixels of the video's picture."""

    label: str
    time: float
    edges: Edges


@dataclass(frozen=True, slots=True)
class BoxSource:
    """A file of boxes, or ultralytics' folder of labels, and how it is written.

    `unit`: "pixels" or "shares". `columns`: fields of a table with the names of their columns.
    """

    path: Path
    unit: str = "pixels"
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Boxes:
    """The boxes of all `tracks` in the video, and of them those `kept`: of speakers, by time, inside the picture."""

    tracks: tuple[TrackedBox, ...] = ()
    kept: tuple[Box, ...] = ()


def read_boxes(source: BoxSource, labels: Labels, clock: Clock, size: tuple[int, int], report: Report) -> Boxes:
    """The boxes of a source, in pixels of pictures of `size` (width, height).

    Lines that cannot be used go to `report` as problems. Raises NotFoundError, UsageError and SourceError, the last
    also if every box was dropped.
    """
    path, skipped, counted = source.path, report.skipped, report.counts.copy()
    reading = _read(source, labels, clock, size, report)
    read, unit = reading.boxes, reading.unit
    check_box_unit(path, [box.edges for box in read], unit)
    times = [box.time for box in read]
    if all(map(math.isfinite, times)):
        check_seconds(path, "boxes", times, clock.length, clock.pictures)
    tracks = tuple(_placed(box, reading.origin, size[0] / unit[0], size[1] / unit[1]) for box in read)
    kept = _kept(tracks, labels, clock, size, report)
    dropped = report.counts - counted + Counter({"lines skipped": report.skipped - skipped})
    if dropped and not kept:
        why = "; ".join(f"{number} {what}" for what, number in dropped.items())
        remedy = "correct the file or --labels" if labels.given else "correct the file"
        raise SourceError(path, None, None, f"every box was dropped ({why}); {remedy}, or convert without boxes")
    return Boxes(tuple(box for box in tracks if clock.shows(box.time)), tuple(kept))


@dataclass(frozen=True, slots=True)
class _Reading:
    """Boxes in a source's own `unit`, the size of its picture (width, height); `origin` is the first pixel's number."""

    boxes: Sequence[TrackedBox]
    unit: tuple[int, int]
    origin: int = 0


def _read(source: BoxSource, labels: Labels, clock: Clock, size: tuple[int, int], report: Report) -> _Reading:
    """The boxes of a folder or a file, whose content shows its form."""
    path = source.path
    if path.is_dir():
        return _Reading(list(_labels(path, clock, report)), SHARES)
    unit = source_size(source.unit, size)
    tracks = read_tracks(path, Footage(clock, size, unit == SHARES), report)
    if tracks is not None:
        _check_no_columns(source, "is the file of an annotation tool")
        return _Reading(_of_tracks(tracks, labels), size)
    text = read_text(path)
    if is_label_file(text):
        message = (
            "has a class, centre and size in shares, the labels of YOLO for one frame; name the folder with a file for "
            "each frame, NAME_1.txt, NAME_2.txt ..., that `yolo track save_txt=True` writes"
        )
        raise SourceError(path, 1, None, message)
    if not is_mot(text):
        return _Reading(list(_table(source, text, clock, report)), unit)
    _check_no_columns(source, "has no header")
    boxes = read_mot(path, text, clock.first or 0, report)
    first = clock.counted_from([box.frame for box in boxes], report)
    timed = [TrackedBox(box.label, clock.seconds(box.frame - first), box.edges) for box in boxes]
    return _Reading(timed, unit, 0 if unit == SHARES else first)  # pixels are counted like frames


def _check_no_columns(source: BoxSource, what: str) -> None:
    if source.columns:
        raise UsageError(f"{source.path}: {what}, so --columns names nothing in it; omit the option")


def _of_tracks(tracks: Sequence[Track], labels: Labels) -> list[TrackedBox]:
    names = track_names(tracks, labels.speakers if labels.given else None)
    named = zip(map(normal_id, names), tracks, strict=True)
    return [TrackedBox(name, time, edges) for name, track in named for time, edges in track.boxes]


def _labels(folder: Path, clock: Clock, report: Report) -> Iterator[TrackedBox]:
    boxes = read_label_folder(folder, clock.video.stem, report)
    first = clock.counted_from([box.frame for box in boxes], report)
    for box in boxes:
        yield TrackedBox(box.label, clock.seconds(box.frame - first), box.edges)


def _table(source: BoxSource, text: str, clock: Clock, report: Report) -> Iterator[TrackedBox]:
    for row in read_table(source.path, text, BoxColumns(source.columns).fields, report):
        with report.skipping_bad():
            yield TrackedBox(normal_id(row.text("track")), _time(row, clock), _edges(row))


def _time(row: Row, clock: Clock) -> float:
    column = "time" if "time" in row.values else "frame"
    value = row.decimal(column)
    if column == "time":
        if value < 0:
            raise row.error(column, f"is {value:g}, before the video begins; correct it")
        return value
    first = clock.first or 0
    if value < first:
        raise row.error(column, f"is {value:g}, but frames count from {first}; correct it")
    if value != int(value):
        raise row.error(column, f"is {value:g}, not a whole number; correct it")
    return clock.seconds(value - first)


def _edges(row: Row) -> Edges:
    (x0, x1), (y0, y1) = (_extent(row, sides) for sides in SIDES)
    return x0, y0, x1, y1


def _extent(row: Row, sides: tuple[str, str, str, str]) -> tuple[float, float]:
    """The near and the far edge of a row's box along an axis."""
    one, other = extent_fields(row.values, sides)
    first, second = row.decimal(one), row.decimal(other)
    _, far, _, middle = sides
    if one == middle:
        return first - second / 2, first + second / 2
    return (first, second) if other == far else (first, first + second)


def _placed(box: TrackedBox, origin: int, wide: float, high: float) -> TrackedBox:
    """A box whose pixels are counted from `origin`, in pixels of the picture from 0."""
    x0, y0, x1, y1 = (edge - origin for edge in box.edges)
    return replace(box, edges=(x0 * wide, y0 * high, x1 * wide, y1 * high))


def _kept(
    tracks: Iterable[TrackedBox], labels: Labels, clock: Clock, size: tuple[int, int], report: Report
) -> list[Box]:
    """The speakers' boxes inside the picture and the video, by time. Others are counted."""
    found: dict[tuple[float, str], Box] = {}
    for one in tracks:
        if not clock.shows(one.time):
            report.count(LATE)
            continue
        speaker = labels.speaker(one.label, "boxes of the track", report)
        if speaker is None:
            continue
        box = clip_box(speaker, min(one.time, clock.length), one.edges, size, report)
        if box is not None and found.setdefault((box.time, speaker), box) is not box:
            report.count(AGAIN)
    return [found[key] for key in sorted(found)]
