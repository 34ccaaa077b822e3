"""The crops of a face that active speaker detectors take: squares around its box, of one size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image as Pictures
from scipy.ndimage import median_filter

from socialcli.perception.contract import CROP, Image, Rectangle

SIDE = 224  # pixels of a crop
_GREY = 110  # what lies outside the frame
_STEADY = 13  # boxes whose middle one counts: half a second at 25 a second


def face_crop(frame: Image, box: Rectangle, side: int = SIDE) -> Image:
    """The square around a face's `box`, resized to `side` pixels; grey where it leaves the frame.

    Its centre is that of the box, and it is CROP times as wide as the box's longer side.
    """
    half = max(box.x1 - box.x0, box.y1 - box.y0) * CROP / 2
    x, y = box.centre
    x0, y0 = round(x - half), round(y - half)
    width = max(round(2 * half), 1)
    square = np.full((width, width, 3), _GREY, np.uint8)
    height, across = frame.shape[:2]
    left, right = max(x0, 0), min(x0 + width, across)
    top, bottom = max(y0, 0), min(y0 + width, height)
    if left < right and top < bottom:
        square[top - y0 : bottom - y0, left - x0 : right - x0] = frame[top:bottom, left:right]
    resized = Pictures.fromarray(square).resize((side, side), Pictures.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.uint8)


def steady_boxes(boxes: Sequence[Rectangle]) -> list[Rectangle]:
    """Squares that follow the boxes of a face, one for each frame, without their jitter.

    Centres and longer sides become the median over 13 frames, as in the published code of TalkNet and Light-ASD: a
    detector's jitter would look like motion.
    """
    if not boxes:
        return []
    sides = np.array([max(box.x1 - box.x0, box.y1 - box.y0) for box in boxes])
    centres = np.array([box.centre for box in boxes])
    half = median_filter(sides, _STEADY, mode="nearest") / 2
    x, y = (median_filter(centres[:, axis], _STEADY, mode="nearest") for axis in (0, 1))
    corners = np.stack([x - half, y - half, x + half, y + half], axis=1)
    return [Rectangle(*map(float, row)) for row in corners]
