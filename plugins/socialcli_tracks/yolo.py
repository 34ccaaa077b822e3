"""Read the folder of label files that ultralytics' `yolo track save_txt=True` writes for a video.

The file of a frame is `NAME_FRAME.txt`, with frames counted from 1. A line is `class cx cy width height`, in shares of
the picture, then the confidence with `save_conf=True`, then the id of the track if the box has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import parse_finite, read_text
from socialcli.episodes.checking.box_units import Edges
from socialcli.errors import InvalidInputError

UNTRACKED = "boxes dropped because they have no track id"

_FILE = re.compile(r"(.+)_(\d+)\.txt", re.ASCII)
_FIELDS = range(5, 8)
_REMEDY = "write them with `yolo track ... save_txt=True`"


@dataclass(frozen=True, slots=True)
class LabelBox:
    """A box of a track in a frame, with the file's own number; `edges` (x0, y0, x1, y1) in shares of the picture."""

    label: str
    frame: int
    edges: Edges


@dataclass(frozen=True, slots=True)
class _Line:
    path: Path
    number: int
    frame: int
    values: tuple[float, ...]

    @property
    def edges(self) -> Edges:
        _, cx, cy, width, height = self.values[:5]
        return cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2


def is_label_file(text: str) -> bool:
    """Whether the first line has a class, and the centre and size of a box in shares: the labels of one frame."""
    cells = next((line for line in text.split("\n") if line.strip()), "").split()
    try:
        kind, cx, cy, width, height, *_ = map(parse_finite, cells)
    except ValueError:
        return False
    sizes = 0 < width <= 1 and 0 < height <= 1
    return len(cells) in _FIELDS and kind == int(kind) and 0 < cx < 1 and 0 < cy < 1 and sizes


def read_label_folder(folder: Path, recording: str, report: Report) -> list[LabelBox]:
    """The tracked boxes of all frames. Boxes without a track are counted, lines that cannot be read go to `report`.

    A folder with the labels of several videos must have those of `recording`, the video's name without its suffix.
    Raises InvalidInputError, and SourceError if no box has a track.
    """
    lines = list(_lines(_files(folder, recording), report))
    place = _place_of_ids(folder, lines)
    tracked = [line for line in lines if len(line.values) > place]
    if len(tracked) < len(lines):
        report.count(UNTRACKED, len(lines) - len(tracked))
    return [LabelBox(str(int(line.values[place])), line.frame, line.edges) for line in tracked]


def _files(folder: Path, recording: str) -> list[tuple[int, Path]]:
    """The label files of a recording with their frames, in order."""
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in folder.iterdir():
        name = _FILE.fullmatch(path.name)
        if name is not None:
            found.setdefault(name[1], []).append((int(name[2]), path))
    if not found:
        raise InvalidInputError(f"{folder}: has no files NAME_FRAME.txt, one for each frame; {_REMEDY}")
    if len(found) > 1 and recording not in found:
        listed = ", ".join(sorted(found))
        raise InvalidInputError(f"{folder}: holds labels of {listed}, but not of {recording}; name its own folder")
    (only, *_) = found
    return sorted(found[recording if recording in found else only])


def _lines(files: Sequence[tuple[int, Path]], report: Report) -> Iterator[_Line]:
    for frame, path in files:
        for number, line in enumerate(read_text(path).split("\n"), start=1):
            if line.strip():
                with report.skipping_bad():
                    yield _line(path, number, frame, line.split())


def _line(path: Path, number: int, frame: int, cells: Sequence[str]) -> _Line:
    if len(cells) not in _FIELDS:
        message = f"has {len(cells)} fields instead of 5 to 7: class, centre, size, confidence, id; track boxes alone"
        raise SourceError(path, number, None, f"{message}, without masks or poses")
    try:
        return _Line(path, number, frame, tuple(map(parse_finite, cells)))
    except ValueError:
        raise SourceError(path, number, None, "is not class, centre, size as numbers; correct the line") from None


def _place_of_ids(folder: Path, lines: Sequence[_Line]) -> int:
    """The place of the id in a line: the seventh field if there is one, else the sixth if it holds whole numbers."""
    longest = max((len(line.values) for line in lines), default=0)
    last = [line.values[-1] for line in lines if len(line.values) == longest]
    if longest <= _FIELDS[0] or not all(one >= 0 and one == int(one) for one in last):
        raise SourceError(folder, None, None, f"has boxes without the ids of tracks; {_REMEDY}")
    return longest - 1
