"""A person's pose in one frame, with the pointing hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]  # x to the right and y down, in pixels of the frame

CHEST = 0.48  # share of the height, above the soles
SHOULDER = (0.15, 0.60)  # shares of the height: beside the middle, and above the soles
HEAD = (0.81, 0.15, 0.16)  # shares of the height: its centre above the soles, and its radii
REACH = 0.36  # share of the height: from the shoulder to the hand


@dataclass(frozen=True, slots=True)
class Pose:
    """A person's place in a frame, in pixels. `foot` is the midpoint of the soles, `aim` the point pointed at.

    The person looks at `aim` and points with the arm on that side.
    """

    foot: Point
    height: float
    aim: Point

    @property
    def side(self) -> int:
        """The side of the pointing arm as the viewer sees it: -1 left, 1 right."""
        return 1 if self.aim[0] >= self.foot[0] else -1

    @property
    def shoulder(self) -> Point:
        """The shoulder of the pointing arm."""
        return self.foot[0] + self.side * SHOULDER[0] * self.height, self.foot[1] - SHOULDER[1] * self.height

    @property
    def direction(self) -> Point:
        """The arm's direction, a unit vector."""
        x, y = self.aim[0] - self.shoulder[0], self.aim[1] - self.shoulder[1]
        length = math.hypot(x, y)
        return x / length, y / length

    @property
    def hand(self) -> Point:
        """The centre of the pointing hand."""
        x, y = self.direction
        reach = REACH * self.height
        return self.shoulder[0] + reach * x, self.shoulder[1] + reach * y


def chest(foot: Point, height: float) -> Point:
    """The centre of the shirt of a person at `foot`, which others point at."""
    return foot[0], foot[1] - CHEST * height


def head(foot: Point, height: float) -> tuple[float, float, float, float]:
    """The rectangle of the head of a person at `foot`, without hair that stands out: x0, y0, x1, y1."""
    y, rx, ry = HEAD
    return foot[0] - rx * height, foot[1] - (y + ry) * height, foot[0] + rx * height, foot[1] - (y - ry) * height
