"""What somebody looks like, as a vector, where a detector has none: colours of the head and of the clothes below it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from scipy.ndimage import gaussian_filter

from socialcli.perception.contract import Finds, Image, Rectangle, Vector

_SIDE = 24  # pixels of a part after scaling: colours, no pattern
_BINS = (8, 8, 8)  # of two axes of hue and saturation, and of brightness
_BLUR = 0.7  # bins: a light that changes a little must not change the vector much
_LEFT_OUT = 4.0  # pixels: parts that are smaller say nothing


def appearance(frame: Image, box: Rectangle, finds: Finds) -> Vector | None:
    """The colours of a face's or person's head and clothes in a frame; None where too little of them is in it.

    The product of two such vectors is the mean of the Bhattacharyya coefficients of the parts: 1 for equal colours, 0
    for those without a common one.
    """
    height, width = frame.shape[:2]
    parts = [part.clipped(width, height) for part in _parts(box, finds)]
    if any(min(part.x1 - part.x0, part.y1 - part.y0) < _LEFT_OUT for part in parts):
        return None
    picture = Pictures.fromarray(frame)
    return np.concatenate([_histogram(picture, part) / math.sqrt(len(parts)) for part in parts]).astype(np.float32)


def _parts(box: Rectangle, finds: Finds) -> tuple[Rectangle, Rectangle]:
    """The head, and the clothes on the chest, in pixels."""
    wide, high = box.x1 - box.x0, box.y1 - box.y0
    middle = box.centre[0]
    if finds == "face":
        head = Rectangle(box.x0 - 0.1 * wide, box.y0 - 0.4 * high, box.x1 + 0.1 * wide, box.y1)
        return head, Rectangle(middle - 0.7 * wide, box.y1 + 0.3 * high, middle + 0.7 * wide, box.y1 + 1.5 * high)
    head = Rectangle(middle - 0.2 * wide, box.y0, middle + 0.2 * wide, box.y0 + 0.15 * high)
    return head, Rectangle(middle - 0.25 * wide, box.y0 + 0.2 * high, middle + 0.25 * wide, box.y0 + 0.5 * high)


def _histogram(picture: Pictures.Image, part: Rectangle) -> npt.NDArray[np.float64]:
    """Square roots of the shares of colours: their product with others is the Bhattacharyya coefficient."""
    area = (part.x0, part.y0, part.x1, part.y1)
    pixels = np.asarray(picture.resize((_SIDE, _SIDE), Pictures.Resampling.BOX, box=area), np.float64) / 255
    red, green, blue = np.moveaxis(pixels, -1, 0)
    # Hue and saturation as a point in a hexagon, so that the hue of grey and of black does not count.
    colors = np.stack([red - (green + blue) / 2, (green - blue) * math.sqrt(3) / 2, pixels.max(axis=-1)], axis=-1)
    ranges = ((-0.6, 0.6), (-0.6, 0.6), (0.0, 1.0))
    inside = np.clip(colors.reshape(-1, 3), *np.transpose(ranges))
    counts, _ = np.histogramdd(inside, bins=_BINS, range=ranges)
    shares = gaussian_filter(counts, _BLUR, mode="nearest").ravel()
    return np.asarray(np.sqrt(shares / shares.sum()))


def is_alone(box: Rectangle, others: Sequence[Rectangle], finds: Finds) -> bool:
    """Whether nobody else's head or clothes are where the colours of this face or person are taken."""
    parts = _parts(box, finds)
    return not any(part.iou(other) > 0 for one in others for other in _parts(one, finds) for part in parts)
