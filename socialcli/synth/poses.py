"""How a person stands in one frame, and where the pointing hand is."""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]  # x to the right and y down, in pixels of the frame

CHEST = 0.48  # of the height, above the soles
SHOULDER = (0.15, 0.60)  # of the height: beside the middle, and above the soles
REACH = 0.36  # of the height: from the shoulder to the hand


@dataclass(frozen=True, slots=True)
class Pose:
    """A person's place in a frame. `foot` is the middle between the soles, `aim` what the person points at, in pixels.

    The person looks at `aim` and points at it with the arm on that side.
    """

    foot: Point
    height: float
    aim: Point

    @property
    def side(self) -> int:
        """The side of the arm that points, as the viewer sees it: -1 on the left, 1 on the right."""
        return 1 if self.aim[0] >= self.foot[0] else -1

    @property
    def shoulder(self) -> Point:
        """Where the arm that points begins."""
        return self.foot[0] + self.side * SHOULDER[0] * self.height, self.foot[1] - SHOULDER[1] * self.height

    @property
    def direction(self) -> Point:
        """The arm's direction, as long as 1."""
        x, y = self.aim[0] - self.shoulder[0], self.aim[1] - self.shoulder[1]
        length = math.hypot(x, y)
        return x / length, y / length

    @property
    def hand(self) -> Point:
        """The middle of the hand that points."""
        x, y = self.direction
        reach = REACH * self.height
        return self.shoulder[0] + reach * x, self.shoulder[1] + reach * y


def chest(foot: Point, height: float) -> Point:
    """The middle of the shirt of somebody who stands at `foot`: what others point at."""
    return foot[0], foot[1] - CHEST * height
