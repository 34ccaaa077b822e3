"""A pen that draws in a person's own coordinates and tracks the extent of the drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import ImageDraw

from socialcli.synth.poses import Point

INK = "#26262b"  # of all outlines


class Pen:
    """Draws with x to the right of a person's middle and y up from the soles; the person's height is 1."""

    def __init__(self, draw: ImageDraw.ImageDraw, foot: Point, height: float) -> None:
        """Draw with `draw`; `foot` and `height` are in its pixels."""
        self._draw, self._foot, self._height = draw, foot, height
        self._edge = max(1, round(0.014 * height))
        self._low, self._high = (math.inf, math.inf), (-math.inf, -math.inf)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """The bounding box of everything drawn so far: x0, y0, x1, y1 in pixels of the drawing."""
        return *self._low, *self._high

    def oval(self, x: float, y: float, rx: float, ry: float, colour: str, outline: bool = True) -> None:
        """An ellipse around (x, y)."""
        (x0, y0), (x1, y1) = self._at(x - rx, y + ry), self._at(x + rx, y - ry)
        self._draw.ellipse((x0, y0, x1, y1), colour, INK if outline else None, self._edge)
        self._reached((x0, y0), (x1, y1))

    def dome(self, x: float, y: float, rx: float, ry: float, degrees: tuple[int, int], colour: str) -> None:
        """A segment of an ellipse; 0 degrees is to the right, 90 down."""
        (x0, y0), (x1, y1) = self._at(x - rx, y + ry), self._at(x + rx, y - ry)
        self._draw.chord((x0, y0, x1, y1), *degrees, colour, INK, self._edge)
        self._reached((x0, y0), (x1, y1))

    def polygon(self, points: Sequence[Point], colour: str, outline: bool = True) -> None:
        """A filled polygon."""
        corners = [self._at(*point) for point in points]
        self._draw.polygon(corners, colour, INK if outline else None, self._edge)
        self._reached(*corners, margin=self._edge)

    def limb(self, start: Point, end: Point, width: float, colour: str) -> None:
        """A thick line with round ends."""
        ends = [self._at(*start), self._at(*end)]
        for extra, fill in ((2 * self._edge, INK), (0, colour)):
            thick = round(width * self._height) + extra
            self._draw.line(ends, fill, thick)
            for x, y in ends:
                self._draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill)
        self._reached(*ends, margin=width * self._height / 2 + self._edge)

    def _at(self, x: float, y: float) -> Point:
        return self._foot[0] + x * self._height, self._foot[1] - y * self._height

    def _reached(self, *points: Point, margin: float = 0.0) -> None:
        margin += 1  # drawing covers one pixel beyond the edge's coordinates
        xs, ys = [x for x, _ in points], [y for _, y in points]
        self._low = min(self._low[0], min(xs) - margin), min(self._low[1], min(ys) - margin)
        self._high = max(self._high[0], max(xs) + margin), max(self._high[1], max(ys) + margin)
