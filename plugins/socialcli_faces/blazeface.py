"""BlazeFace: anchors, decoding of the network's outputs, and blending of detections of the same face.

The network and this procedure: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs"
(2019). The parameters are those of MediaPipe's model for back cameras: squares of 256 pixels, 896 anchors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

SIDE = 256  # pixels of the square that the network sees
LANDMARKS = ("left eye", "right eye", "nose", "mouth", "left ear", "right ear")  # left and right as in the picture

_GRIDS = ((16, 2), (8, 6))  # cells along a side, and anchors in each cell: strides of 16 pixels, and thrice of 32
_LARGEST_LOGIT = 80.0  # beyond it, exp overflows in float32

Floats = npt.NDArray[np.float32]


def anchor_centres() -> Floats:
    """The centres of the anchors, (896, 2), as shares of the square's side; every anchor is as large as the square."""
    layers = []
    for cells, repeats in _GRIDS:
        steps = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        x, y = np.meshgrid(steps, steps)
        layers.append(np.repeat(np.stack([x.ravel(), y.ravel()], axis=1), repeats, axis=0))
    return np.concatenate(layers)


def decode(regressors: Floats, logits: Floats, anchors: Floats, least: float) -> tuple[Floats, Floats]:
    """The faces whose score is at least `least`.

    `regressors` (896, 16) are centre, size and landmarks relative to the anchors, in pixels; `logits` are (896,).
    Returns points (n, 8, 2) as shares of the square: the upper left and the lower right corner, then the LANDMARKS;
    and scores (n,).
    """
    scores = 1 / (1 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT)))
    kept = scores >= least
    values = regressors[kept].reshape(-1, 8, 2) / SIDE
    points = values + anchors[kept, None]
    size = values[:, 1]
    centre = points[:, 0].copy()
    points[:, 0], points[:, 1] = centre - size / 2, centre + size / 2
    return points.astype(np.float32), scores[kept].astype(np.float32)


def blend(points: Floats, scores: Floats, overlap: float, cover: float) -> tuple[Floats, Floats]:
    """One face for all that overlap: the mean of them, weighted by their scores, and their largest score.

    In the order of descending scores, each face that is left takes in those whose intersection over union with it is
    above `overlap`: the paper's replacement for non-maximum suppression, which makes faces of a video jitter less.
    Faces that cover one that is left, or that it covers, by more than `cover` of the smaller one are dropped: they are
    the same face, seen badly at another scale. Shapes as in `decode`, in any unit.
    """
    order = np.argsort(-scores, kind="stable")
    blended: list[Floats] = []
    best: list[np.float32] = []
    while len(order):
        unions, covers = _overlaps(points[order[0]], points[order])
        same = unions > overlap
        same[0] = True  # also where its area is 0
        group = order[same]
        weights = scores[group] / scores[group].sum()
        blended.append((points[group] * weights[:, None, None]).sum(axis=0))
        best.append(scores[order[0]])
        order = order[~same & (covers <= cover)]
    return np.array(blended, np.float32).reshape(-1, 8, 2), np.array(best, np.float32)


def tiles(width: int, height: int, side: int) -> Sequence[tuple[int, int, int, int]]:
    """Parts of a frame in which faces are looked for, as x0, y0, x1, y1 in pixels.

    The whole frame first. Where its longer side is above `side`, overlapping squares of that side follow, which see
    small faces at a larger scale; neighbours share at least a quarter.
    """
    whole = [(0, 0, width, height)]
    if max(width, height) <= side:
        return whole
    return whole + [
        (x, y, min(x + side, width), min(y + side, height)) for y in _starts(height, side) for x in _starts(width, side)
    ]


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = -(-(length - side) * 4 // (side * 3)) + 1
    return [round(place * (length - side) / (count - 1)) for place in range(count)]


def _overlaps(face: Floats, others: Floats) -> tuple[Floats, Floats]:
    """The intersection of a face with each of the others, over their union and over the smaller of the two."""
    low = np.maximum(face[0], others[:, 0])
    high = np.minimum(face[1], others[:, 1])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    area = np.prod(np.clip(face[1] - face[0], 0, None))
    areas = np.prod(np.clip(others[:, 1] - others[:, 0], 0, None), axis=1)
    least = np.finfo(np.float32).tiny  # instead of 0
    return shared / np.maximum(area + areas - shared, least), shared / np.maximum(np.minimum(area, areas), least)
