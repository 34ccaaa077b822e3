"""What plug-ins provide to annotate recordings, and what passes between them.

Frames go to a *detector*, which finds faces or people. Detections of one shot go to a *tracker*, which makes tracks of
them. Sound goes to a *voice analyser*, which finds speech and compares voices. Crops of a face and the sound go to an
*active speaker detector*, which says when that face speaks.

Each kind is declared by a spec. Every command imports this module, so it must not import NumPy. Only the `load` of a
spec imports what the part needs, and opens its weights; it raises MissingPackageError where a package is not installed,
and CheckpointError where weights cannot be read. Nothing loads from a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Image: TypeAlias = "npt.NDArray[np.uint8]"  # RGB, (height, width, 3)
Sound: TypeAlias = "npt.NDArray[np.float32]"  # one channel, SAMPLE_RATE samples a second, from -1 to 1
Vector: TypeAlias = "npt.NDArray[np.float32]"  # of length 1: the product of two is their cosine

SAMPLE_RATE = 16_000  # samples of a second of sound
CROP = 1.4  # the side of a face's crop, as a multiple of the longer side of its box

Finds = Literal["face", "person"]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle of an image in pixels, like the boxes of an episode: the upper left corner is (0, 0)."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        """Its area; 0 for one that is turned inside out."""
        return max(self.x1 - self.x0, 0.0) * max(self.y1 - self.y0, 0.0)

    @property
    def centre(self) -> tuple[float, float]:
        """The point in its middle, (x, y)."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def clipped(self, width: float, height: float) -> Rectangle:
        """The part of it that is inside an image of this size; its area is 0 where it lies outside."""
        return Rectangle(
            *(min(max(self.x0, 0.0), width), min(max(self.y0, 0.0), height)),
            *(min(max(self.x1, 0.0), width), min(max(self.y1, 0.0), height)),
        )

    def iou(self, other: Rectangle) -> float:
        """Intersection over union with another, from 0 to 1."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        shared = max(width, 0.0) * max(height, 0.0)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face or a person in a frame."""

    box: Rectangle
    score: float  # 0 to 1: how sure the detector is
    landmarks: Mapping[str, tuple[float, float]] | None = None  # (x, y) in pixels of "mouth", "nose", "left eye" ...
    embedding: Vector | None = None  # of the looks, where the detector has one


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The same face or person through a shot: a detection for each frame in which it was found."""

    detections: Mapping[int, Detection]  # by the frame's number, ascending

    @property
    def first(self) -> int:
        """The number of its first frame."""
        return next(iter(self.detections))

    @property
    def last(self) -> int:
        """The number of its last frame."""
        return next(reversed(list(self.detections)))


@dataclass(frozen=True, slots=True)
class Speech:
    """A stretch of a recording in which somebody speaks, in seconds."""

    start: float
    end: float


Detect: TypeAlias = "Callable[[Image], Sequence[Detection]]"
"""Finds what is in a frame, the surest first; the boxes lie inside the frame."""

TrackShot = Callable[[Mapping[int, Sequence[Detection]]], Sequence[Track]]
"""Joins the detections of a shot, by the ascending numbers of its frames, to tracks, the earliest first.

Numbers may be left out where nobody looked."""

SpeechScores: TypeAlias = "Callable[[Sequence[Image], float, Sound], npt.NDArray[np.float32]]"
"""Whether a face speaks: crops of it, how many there are in a second, and the sound of the same stretch become one
score for each crop, above 0 where it speaks. The crops are squares of one size, as `socialcli.perception.crops` cuts
them: the middle of the face's box is theirs, and their sides are CROP times the longer side of the box."""


class Voices(Protocol):
    """Finds speech in sound, and compares voices."""

    def speech(self, blocks: Iterable[Sound]) -> Sequence[Speech]:
        """The stretches with speech, in order, in seconds from the start of the first block.

        Blocks follow each other without a seam, and have any length; a recording of hours is never held whole.
        """

    def embedding(self, sound: Sound) -> Vector | None:
        """What one voice sounds like; None for less sound than that takes, or where the part compares no voices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a part and its weights come from, for the docs and `socialcli plugins`."""

    package: str | None  # the package to install, or None: nothing beyond socialcli
    licence: str  # of the code, such as "Apache-2.0"
    weights: str | None = None  # where the weights come from and their licence; None: the part has none


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOptions:
    """How to load a part."""

    weights: str | None = None  # a file, a folder, or a hub id that is on this machine; None: those it comes with
    device: str = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSpec:
    """A detector of faces or people."""

    name: str
    summary: str  # one line
    finds: Finds
    source: Source
    load: Callable[[PartOptions], Detect]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSpec:
    """A way of joining the detections of a shot."""

    name: str
    summary: str
    source: Source
    load: Callable[[float], TrackShot]  # for frames whose numbers count so many in a second: how long a gap lasts


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicesSpec:
    """A way of finding speech and comparing voices."""

    name: str
    summary: str
    source: Source
    load: Callable[[PartOptions], Voices]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveSpeakerSpec:
    """A way of seeing and hearing that a face speaks."""

    name: str
    summary: str
    source: Source
    load: Callable[[PartOptions], SpeechScores]
    rate: float  # crops of a second that it takes
