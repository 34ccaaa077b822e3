"""Clip boxes to the picture."""

from __future__ import annotations

from socialcli.converting.report import Report
from socialcli.episodes.checking.box_units import Edges
from socialcli.episodes.records import Box

CUT = "boxes cut at the edge of the picture"
OUTSIDE = "boxes dropped that lie outside the picture or have no area"
_DIGITS = 3  # decimals of a pixel


def clip_box(speaker: str, time: float, edges: Edges, size: tuple[int, int], report: Report) -> Box | None:
    """The part of a box inside a picture of `size` (width, height), None if there is none. Counts what was cut.

    `edges` are in pixels of that picture. They are rounded first, so that the written box has an area.
    """
    report.boxes_read += 1
    x0, y0, x1, y1 = rounded = tuple(round(edge, _DIGITS) for edge in edges)
    # 0.0 comes first because `max` returns the first of 0.0 and -0.0, which are equal.
    inside = (max(0.0, x0), max(0.0, y0), min(x1, float(size[0])), min(y1, float(size[1])))
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        report.count(OUTSIDE)
        return None
    if inside != rounded:
        report.count(CUT)
    report.boxes_kept += 1
    return Box(speaker, time, *inside)
