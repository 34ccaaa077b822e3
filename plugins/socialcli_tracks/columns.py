"""The columns of a table of boxes: the names that trackers give them, and those that --columns gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from socialcli.converting.report import SourceError

_KNOWN: Mapping[str, tuple[str, ...]] = {
    "track": (
        *("label", "track", "track_id", "tracker_id", "trackid", "object_id", "obj_id", "person_id", "target_id"),
        *("identity", "id", "speaker"),
    ),
    "time": ("time", "time_s", "time_sec", "seconds", "timestamp", "timestamp_s"),
    "frame": (
        *("frame", "frame_id", "frame_idx", "frame_index", "frame_number", "frame_num", "frame_no", "frameid"),
        *("frame_nr", "framenumber", "video_frame"),
    ),
    "x0": ("x0", "left", "x_min", "xmin", "x_left", "xtl"),
    "y0": ("y0", "top", "y_min", "ymin", "y_top", "ytl"),
    "x1": ("right", "x_max", "xmax", "x_right", "xbr", "x2"),
    "y1": ("bottom", "y_max", "ymax", "y_bottom", "ybr", "y2"),
    "width": ("width", "w"),
    "height": ("height", "h"),
    "cx": ("cx", "xc", "x_center", "x_centre", "center_x", "centre_x", "xcenter"),
    "cy": ("cy", "yc", "y_center", "y_centre", "center_y", "centre_y", "ycenter"),
}
"""The names of each field, the first found counts. Names of edges may follow one of `_PREFIXES`."""

_PREFIXES = ("", "bbox_", "bb_", "box_")
_ALIASES = {"label": "track", "id": "track", "left": "x0", "top": "y0", "right": "x1", "bottom": "y1"}
_ALIASES |= {"w": "width", "h": "height"}
FIELDS = (*_KNOWN, *_ALIASES)

SIDES = (("x0", "x1", "width", "cx"), ("y0", "y1", "height", "cy"))
"""Along each axis: the near edge, the far edge, the size and the middle."""

_EDGES_IN_WORDS = ("the left and right edge", "the upper and lower edge")


class ColumnNames(click.ParamType[Mapping[str, str]]):
    """Fields with the names of their columns: "time=t,x0=left"."""

    name = "columns"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Mapping[str, str]:
        """Convert "time=t,x0=left" to {"time": "t", "x0": "left"}; of two names of a field, the first one is used."""
        if isinstance(value, Mapping):
            return value
        found: dict[str, str] = {}
        for part in filter(str.strip, str(value).split(",")):
            key, _, column = (one.strip() for one in part.partition("="))
            if key not in FIELDS or not column:
                self.fail(f"{part.strip()!r} is not FIELD=COLUMN, with a field of {', '.join(FIELDS)}.", param, ctx)
            if found.setdefault(_ALIASES.get(key, key), column) != column:
                self.fail(f"{part.strip()!r} names a second column for the same field.", param, ctx)
        return found


@dataclass(frozen=True, slots=True)
class BoxColumns:
    """Finds the columns of a table of boxes in its header. `named`: fields with the columns that the user gives."""

    named: Mapping[str, str] = field(default_factory=dict)

    def fields(self, path: Path, number: int, header: Sequence[str]) -> list[str]:
        """The field of each column of the header, "" for a column that is not used.

        Raises SourceError, which lists the columns, if a field is missing or can be one of two.
        """
        found = self._given(path, number, header)
        names = [re.sub(r"[\s.-]+", "_", one.strip().casefold()) for one in header]
        for one, known in _all_known(names):
            place = next((names.index(name) for name in known if name in names), None)
            if place is not None and one not in found and place not in found.values():
                found[one] = place
        if "time" in self.named or ("time" in found and "frame" not in self.named):
            found.pop("frame", None)
        else:
            found.pop("time", None)
        self._check(path, number, header, found)
        fields = {place: one for one, place in found.items()}
        return [fields.get(place, "") for place in range(len(names))]

    def _given(self, path: Path, number: int, header: Sequence[str]) -> dict[str, int]:
        """The places of the columns that the user names, whatever their case."""
        names = [one.strip().casefold() for one in header]
        for column in self.named.values():
            if column.casefold() not in names:
                message = f"has no column {column!r}, which --columns names; its columns are {', '.join(header)}"
                raise SourceError(path, number, None, message)
        return {one: names.index(column.casefold()) for one, column in self.named.items()}

    def _check(self, path: Path, number: int, header: Sequence[str], found: Mapping[str, int]) -> None:
        missing = list(_missing(found))
        if not missing:
            return
        wanted = [f"{one}=NAME" for _, fields in missing for one in fields]
        remedy = f"name them with --columns {','.join(wanted)}"
        if {"x", "y"} <= {one.strip().casefold() for one in header}:
            others = "".join(f"{one}," for one in wanted if one[0] not in "xy")
            remedy = (
                f"add --columns {others}left=x,top=y if x and y are a corner, or --columns {others}cx=x,cy=y if they "
                "are the centre"
            )
        known = [f"{header[place].strip()} ({one})" for one, place in found.items()]
        message = (
            f"has no column for {', '.join(what for what, _ in missing)}; its columns are {', '.join(header)}; known "
            f"of them: {', '.join(known) or 'none'}; {remedy}"
        )
        raise SourceError(path, number, None, message)


def _all_known(names: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each field with its names for this header. `x1` is the left edge beside `x2`, the right one beside `x0`."""
    for one, known in _KNOWN.items():
        if one in ("track", "time", "frame"):
            yield one, known
            continue
        for prefix in _PREFIXES:
            axis = one[0]
            own = known
            if one == f"{axis}0" and f"{prefix}{axis}2" in names:
                own = (*known, f"{axis}1")
            elif one == f"{axis}1" and f"{prefix}{axis}0" in names:
                own = (f"{axis}1", *known)
            yield one, tuple(prefix + name for name in own)


def _missing(found: Mapping[str, int]) -> Iterator[tuple[str, Sequence[str]]]:
    """What cannot be found: in words, and the fields that --columns could name."""
    if "track" not in found:
        yield "the track", ("track",)
    if "time" not in found and "frame" not in found:
        yield "the frame (or the time in seconds)", ("frame",)
    for words, sides in zip(_EDGES_IN_WORDS, SIDES, strict=True):
        if not _has_extent(found, sides):
            near, far, size, _ = sides
            other = near if size in found else far
            yield words, [one for one in dict.fromkeys((near, other)) if one not in found]


def _has_extent(found: Mapping[str, object], sides: tuple[str, str, str, str]) -> bool:
    return any(set(pair) <= found.keys() for pair in _pairs(sides))


def extent_fields(found: Mapping[str, object], sides: tuple[str, str, str, str]) -> tuple[str, str]:
    """The two of the `found` fields that give a box's extent along an axis: both edges, or one place and the size."""
    return next(pair for pair in _pairs(sides) if set(pair) <= found.keys())


def _pairs(sides: tuple[str, str, str, str]) -> tuple[tuple[str, str], ...]:
    near, far, size, middle = sides
    return (near, far), (near, size), (middle, size)
