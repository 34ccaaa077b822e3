"""Boxes brought into the picture."""

from __future__ import annotations

from socialcli.converting.report import Report
from socialcli.episodes.records import Box

CUT = "boxes cut at the edge of the picture"
OUTSIDE = "boxes dropped that lie outside the picture or have no area"


def clipped(
    speaker: str, time: float, edges: tuple[float, float, float, float], size: tuple[int, int], report: Report
) -> Box | None:
    """The part of a box inside a picture of `size` (width, height); None where nothing is left. Both are counted.

    `edges` are x0, y0, x1, y1 in pixels of that picture.
    """
    x0, y0, x1, y1 = edges
    inside = (max(x0, 0.0), max(y0, 0.0), min(x1, float(size[0])), min(y1, float(size[1])))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        report.count(OUTSIDE)
        return None
    if inside != edges:
        report.count(CUT)
    return Box(speaker, time, *(round(edge, 3) for edge in inside))
