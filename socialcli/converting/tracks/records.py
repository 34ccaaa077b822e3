"""What readers of tracks take and return."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.report import SourceError
from socialcli.converting.tracks.clock import Clock
from socialcli.episodes.checking.box_units import Edges

_SAME_SHAPE = 0.02  # share by which the proportions of two pictures may differ: sizes are rounded to even pixels


@dataclass(frozen=True, slots=True)
class Track:
    """One person's boxes: each at a time in seconds, in pixels of the video. A track may have none.

    `id` is the number or the id in the file, `label` the class or name that it was given, and `speaker` a name that
    the file states as such, as an attribute; None for those that are missing.
    """

    id: str
    label: str | None
    speaker: str | None
    boxes: tuple[tuple[float, Edges], ...]


@dataclass(frozen=True, slots=True)
class Footage:
    """The video that tracks belong to: the times of its frames, and its size (width, height) in pixels.

    `shares`: the user says that a file's boxes are shares of the picture instead of pixels.
    """

    clock: Clock
    size: tuple[int, int]
    shares: bool = False

    def scale(self, path: Path, size: tuple[float, float]) -> tuple[float, float]:
        """The factors (horizontal, vertical) from boxes on a picture of `size` to pixels of the video.

        Raises SourceError if the pictures have different proportions: the boxes belong to another video.
        """
        if self.shares:
            return self.size
        wide, high = self.size[0] / size[0], self.size[1] / size[1]
        if abs(wide - high) > _SAME_SHAPE * max(wide, high):
            message = (
                f"has boxes of pictures of {size[0]:g} x {size[1]:g} pixels, but those of {self.clock.video} have "
                f"{self.size[0]} x {self.size[1]}; name the video that was annotated"
            )
            raise SourceError(path, None, None, message)
        return wide, high


def scaled(edges: Edges, scale: tuple[float, float]) -> Edges:
    """Edges multiplied by factors (horizontal, vertical)."""
    x0, y0, x1, y1 = edges
    return x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1]
