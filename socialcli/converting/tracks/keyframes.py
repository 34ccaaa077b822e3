"""Boxes between keyframes, as annotation tools show them: linear from one keyframe to the next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from socialcli.converting.report import Report
from socialcli.episodes.checking.box_units import Edges

TURNED = "turned boxes replaced by the upright box around them"


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A box at a frame. `lasts`: it is also shown after the frame, up to the next keyframe; `shown`: at the frame."""

    frame: int
    edges: Edges
    lasts: bool = True
    shown: bool = True


def every_frame(keyframes: Iterable[Keyframe], end: int) -> Iterator[tuple[int, Edges]]:
    """The frames with their boxes, in order: keyframes, and the frames before `end` between them.

    A keyframe that lasts is followed by a box in each frame until the next keyframe. The last one has no next.
    """
    ordered = sorted(keyframes, key=lambda one: one.frame)
    for place, one in enumerate(ordered):
        if one.shown:
            yield one.frame, one.edges
        if one.lasts and place + 1 < len(ordered):
            after = ordered[place + 1]
            for frame in range(one.frame + 1, min(after.frame, end)):
                yield frame, _mixed(one.edges, after.edges, (frame - one.frame) / (after.frame - one.frame))


def _mixed(first: Edges, second: Edges, share: float) -> Edges:
    x0, y0, x1, y1 = (start + share * (end - start) for start, end in zip(first, second, strict=True))
    return x0, y0, x1, y1


def upright(edges: Edges, degrees: float, pivot: tuple[float, float], report: Report) -> Edges:
    """The smallest upright box around one that is turned clockwise around a point. Counts boxes that are turned."""
    if degrees % 360 == 0:
        return edges
    report.count(TURNED)
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    corners = [(x - pivot[0], y - pivot[1]) for x in (edges[0], edges[2]) for y in (edges[1], edges[3])]
    across = [pivot[0] + x * cosine - y * sine for x, y in corners]
    down = [pivot[1] + x * sine + y * cosine for x, y in corners]
    return min(across), min(down), max(across), max(down)
