"""Detect boxes that cannot be in pixels because they look like shares of the picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from socialcli.episodes.checking.problems import Problem

Edges = tuple[float, float, float, float]
"""x0, y0, x1, y1."""

BEYOND = 0.5
"""How far, as a share of the picture, trackers' boxes may extend beyond it."""

SHARES_REMEDY = "if they are shares of the picture, multiply them by its width and height"
"""What to do if the boxes of episodes look like shares."""


def look_like_shares(boxes: Iterable[Edges]) -> bool:
    """Whether all boxes lie within about one pixel of the upper left corner: no picture shows people that small.

    Boxes without an area are ignored; with no other boxes, the answer is no. The first box in pixels ends the search.
    """
    any_area = False
    for x0, y0, x1, y1 in boxes:
        if not (x0 < x1 and y0 < y1):
            continue
        if not (x0 >= -BEYOND and y0 >= -BEYOND and x1 <= 1 + BEYOND and y1 <= 1 + BEYOND):
            return False
        any_area = True
    return any_area


def boxes_are_shares(record: Mapping[str, Any]) -> bool:
    """Whether an episode has boxes and all of them look like shares of the picture instead of pixels."""
    return look_like_shares((box["x0"], box["y0"], box["x1"], box["y1"]) for box in record["boxes"])


@dataclass(slots=True)
class FileBoxes:
    """Whether the boxes of a whole file can be pixels, for files whose episodes have too few boxes to tell."""

    first: int | None = None  # row of the first episode whose boxes look like shares
    number: int = 0
    any_pixels: bool = False

    def add(self, row: int, record: Mapping[str, Any] | None) -> None:
        """Add a good record; None stands for one with problems, after which the file is not judged."""
        if record is None:
            self.any_pixels = True
        elif record["boxes"]:
            self.any_pixels = self.any_pixels or not boxes_are_shares(record)
            self.number += len(record["boxes"])
            self.first = self.first or row

    def problems(self) -> Iterator[Problem]:
        """The problem of the file, if it has one."""
        if self.first is not None and not self.any_pixels:
            message = f"all {self.number} in the file lie within 1 x 1 pixel; {SHARES_REMEDY}"
            yield Problem(self.first, "boxes", message)
