"""Numbers that cannot be pixels: boxes that look like shares of the picture."""

from __future__ import annotations

from collections.abc import Iterable

Edges = tuple[float, float, float, float]
"""x0, y0, x1, y1."""

BEYOND = 0.5
"""How far, as a share of the picture, trackers let boxes reach beyond it."""


def look_like_shares(boxes: Iterable[Edges]) -> bool:
    """Whether all boxes lie within one pixel, or little more, at the upper left: no picture holds people so small.

    Boxes without an area say nothing; without any other, the answer is no. The first box in pixels ends the search.
    """
    any_area = False
    for x0, y0, x1, y1 in boxes:
        if not (x0 < x1 and y0 < y1):
            continue
        if not (x0 >= -BEYOND and y0 >= -BEYOND and x1 <= 1 + BEYOND and y1 <= 1 + BEYOND):
            return False
        any_area = True
    return any_area
