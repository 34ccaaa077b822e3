"""Read MOT files, as the MOT Challenge defines them and as trackers write them.

A line is `frame, id, left, top, width, height`, and up to four more fields. In the format, frames and pixels count from
1, and a confidence of 0 in the seventh field marks boxes that the ground truth ignores
(https://motchallenge.net/instructions). BoxMOT, ByteTrack, DeepSORT, norfair and TransTrack write such lines, some with
frames from 0, some with blanks in place of commas.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.labels import is_missing, normal_id
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import parse_finite
from socialcli.episodes.checking.box_units import Edges

IGNORED = "boxes that the file itself ignores (confidence 0)"

_FIELDS = range(6, 11)  # frame to height; 7 with a confidence, 9 in a ground truth, 10 in what a tracker writes
_NUMBER = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class MotBox:
    """A box of a line: `frame` and `edges` (x0, y0, x1, y1) in the file's own counting."""

    label: str
    frame: float
    edges: Edges


def is_mot(text: str) -> bool:
    """Whether the first line begins with a frame number rather than a column name, and has enough fields."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    cells = _cells(first, _separator(first))
    return len(cells) >= _FIELDS[0] and _NUMBER.fullmatch(cells[0]) is not None


def read_mot(path: Path, text: str, least: int, report: Report) -> list[MotBox]:
    """The boxes of a file's lines; those of confidence 0 are counted. Frames below `least` are an error.

    Commas, semicolons, tabs or blanks separate fields, the same in the whole file. Lines that cannot be used go to
    `report`.
    """
    separator = _separator(next((line for line in text.split("\n") if line.strip()), ""))
    found: list[MotBox] = []
    fields = 0  # of the lines above
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            with report.skipping_bad():
                cells = _cells(line, separator)
                box = _box(path, number, cells, least)
                if len(cells) != (fields or len(cells)):
                    message = f"has {len(cells)} fields, but the lines above have {fields}; correct the line"
                    raise SourceError(path, number, None, message)
                fields = len(cells)
                if box is None:
                    report.count(IGNORED)
                else:
                    found.append(box)
    return found


def _separator(line: str) -> str | None:
    """What separates the fields of a line; None: blanks."""
    often = max(",;\t", key=line.count)
    return often if line.strip().count(often) >= _FIELDS[0] - 1 else None


def _cells(line: str, separator: str | None) -> list[str]:
    """The fields of a line, without separators at its end."""
    if separator is None:
        return line.split()
    return [cell.strip() for cell in line.strip().rstrip(f"{separator} ").split(separator)]


def _box(path: Path, number: int, cells: Sequence[str], least: int) -> MotBox | None:
    """The box of a line; None if the line itself ignores it. Raises SourceError."""
    if len(cells) > max(_FIELDS):
        message = f"has {len(cells)} fields, but a line of an MOT file has at most {max(_FIELDS)}; correct the line"
        raise SourceError(path, number, None, message)
    if len(cells) > 1 and is_missing(cells[1]):
        raise SourceError(path, number, "id", f"is {cells[1]!r}, which means missing; fill it in, or remove the line")
    try:
        frame, track, left, top, width, height, *more = map(parse_finite, cells)
    except ValueError:
        commas = ", with points for decimals" if any("," in cell for cell in cells) else ""
        message = f"is not frame, id, left, top, width, height as numbers{commas}; correct the line"
        raise SourceError(path, number, None, message) from None
    if frame < least or frame != int(frame):
        option = "; if they count from 0, add --first-frame 0" if frame == 0 else ""
        raise SourceError(path, number, "frame", f"is {frame:g}; frames are counted from {least}{option}")
    if more and more[0] == 0:
        return None
    label = str(int(track)) if track == int(track) else normal_id(cells[1])
    return MotBox(label, frame, (left, top, left + width, top + height))
