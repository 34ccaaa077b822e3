"""Read CVAT for video 1.1: the XML export of a task or a job, with a `track` for each person.

    <track id="0" label="person">
      <box frame="12" keyframe="1" outside="0" occluded="0" xtl="10.00" ytl="20.00" xbr="60.00" ybr="90.00">
        <attribute name="speaker">Anna</attribute>
      </box> ...
    </track>

Frames are the video's, counted from 0, and edges are pixels of pictures of the size in `original_size`. A box with
`outside="1"` is not shown. CVAT writes a box for every frame that can be annotated; in a task that leaves out frames,
or a file with keyframes only, the frames between are interpolated. The parser is expat, which loads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from socialcli.converting.labels import known_name
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import parse_finite
from socialcli.converting.tracks.keyframes import Keyframe, every_frame, upright
from socialcli.converting.tracks.names import states_a_name
from socialcli.converting.tracks.records import Footage, Track, scaled
from socialcli.episodes.checking.box_units import Edges

SHAPES = "shapes left out because they are not boxes"
_SHAPES = frozenset(("ellipse", "polygon", "polyline", "points", "cuboid", "mask", "skeleton"))
_NAMING = ("annotations/track/box/attribute", "annotations/track/attribute")
_EDGES = ("xtl", "ytl", "xbr", "ybr")


def read_cvat(path: Path, content: bytes, footage: Footage, report: Report) -> list[Track]:
    """The tracks of an export. Tracks and boxes that cannot be read go to `report` as problems.

    Raises SourceError if it is no such export, or one of several tasks.
    """
    document = _Document(path, report)
    document.parse(content)
    scale = footage.scale(path, (document.size["width"], document.size["height"])) if len(document.size) > 1 else (1, 1)
    tracks = []
    for drawn in document.tracks:
        with report.skipping_bad():
            boxes = every_frame(drawn.keyframes, footage.clock.frames())
            timed = tuple((footage.clock.seconds(frame), scaled(edges, scale)) for frame, edges in boxes)
            tracks.append(Track(drawn.id, drawn.label, drawn.name(path), timed))
    return tracks


@dataclass(slots=True)
class _Drawn:
    """A track with its keyframes, and the names that its attributes state, each with its line."""

    id: str
    label: str | None
    keyframes: list[Keyframe] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    def name(self, path: Path) -> str | None:
        """The name that the attributes state, None without one. Raises SourceError if they state several."""
        if len(self.names) > 1:
            first, second = list(self.names)[:2]
            message = f"track {self.id} is {first!r} in line {self.names[first]}, and here {second!r}; name only one"
            raise SourceError(path, self.names[second], "attribute", message)
        return next(iter(self.names), None)


class _Document:
    """Collects tracks while the file is parsed, so that no tree of it is kept."""

    def __init__(self, path: Path, report: Report) -> None:
        self.size: dict[str, float] = {}  # width and height of the annotated pictures
        self.tracks: list[_Drawn] = []
        self._path = path
        self._report = report
        self._open: list[str] = []  # the elements around the current place
        self._tasks: set[str] = set()
        self._attribute = ""
        self._words: list[str] = []
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._words.append

    def parse(self, content: bytes) -> None:
        """Read the whole file. Raises SourceError."""
        try:
            self._parser.Parse(content, True)
        except LookupError as error:
            message = f"has an {error}; save it as UTF-8"
            raise SourceError(self._path, 1, "encoding", message) from error
        except expat.ExpatError as error:
            message = f"is not well-formed XML ({expat.ErrorString(error.code)}); export it again"
            raise SourceError(self._path, error.lineno, None, message) from error
        if not self.tracks:
            message = "has no tracks; draw them in CVAT, and export CVAT for video 1.1"
            raise SourceError(self._path, None, "annotations", message)
        if len(self._tasks) > 1:
            message = f"has tracks of {len(self._tasks)} tasks, counted in common; export the task of this video alone"
            raise SourceError(self._path, None, "track", message)

    def _error(self, where: str, message: str) -> SourceError:
        return SourceError(self._path, self._parser.CurrentLineNumber, where, message)

    def _refuse_doctype(self, *_: object) -> None:
        raise self._error("DOCTYPE", "is no part of CVAT's format, and could define entities; remove it")

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        self._open.append(name)
        self._words.clear()
        place = "/".join(self._open)
        if len(self._open) == 1 and name != "annotations":
            raise self._error(name, "is not the XML of CVAT, which begins with annotations; export CVAT for video 1.1")
        if place == "annotations/image":
            message = "is of CVAT for images, which has no tracks; export the task as CVAT for video 1.1"
            raise self._error(name, message)
        if place == "annotations/track":
            self.tracks.append(_Drawn(attributes.get("id", str(len(self.tracks))), attributes.get("label")))
            self._tasks.add(attributes.get("task_id", ""))
        elif place == "annotations/track/box":
            with self._report.skipping_bad():
                self.tracks[-1].keyframes.append(self._keyframe(attributes))
        elif name in _SHAPES and place == f"annotations/track/{name}":
            self._report.count(SHAPES)
        elif name == "attribute":
            self._attribute = attributes.get("name", "")

    def _end(self, name: str) -> None:
        place = "/".join(self._open)
        self._open.pop()
        said = "".join(self._words).strip()
        self._words.clear()
        if place in _NAMING and states_a_name(self._attribute):
            if known_name(said) is not None:
                self.tracks[-1].names.setdefault(said, self._parser.CurrentLineNumber)
        elif place.endswith(("/original_size/width", "/original_size/height")):
            self.size[name] = self._positive(name, said)

    def _positive(self, name: str, text: str) -> float:
        try:
            value = parse_finite(text)
        except ValueError:
            value = 0.0
        if value <= 0:
            raise self._error(f"original_size.{name}", f"is {text!r}, and must be a number above 0; correct it")
        return value

    def _keyframe(self, attributes: Mapping[str, str]) -> Keyframe:
        frame = self._number(attributes, "frame")
        if frame < 0 or frame != int(frame):
            raise self._error("box.frame", f"is {frame:g}, and must be a whole number from 0; correct it")
        x0, y0, x1, y1 = (self._number(attributes, edge) for edge in _EDGES)
        edges: Edges = (x0, y0, x1, y1)
        if "rotation" in attributes:
            middle = ((x0 + x1) / 2, (y0 + y1) / 2)
            edges = upright(edges, self._number(attributes, "rotation"), middle, self._report)
        shown = attributes.get("outside", "0") != "1"
        return Keyframe(int(frame), edges, lasts=shown, shown=shown)

    def _number(self, attributes: Mapping[str, str], name: str) -> float:
        try:
            return parse_finite(attributes.get(name, ""))
        except ValueError:
            what = f"is {attributes[name]!r}, not a number" if name in attributes else "is missing"
            raise self._error(f"box.{name}", f"{what}; correct it") from None
