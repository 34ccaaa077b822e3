"""How many visual tokens a clip makes, without the processor: the arithmetic of its published preprocessing."""

from __future__ import annotations

import math

from socialcli.models.contract import ClipSize

CELL = 28  # pixels: patches of 14, merged two by two
MERGED = 2  # frames in a step
FEWEST_PIXELS = 4 * CELL * CELL  # of a frame in the published checkpoints


def visual_tokens(clip: ClipSize) -> int:
    """The visual tokens of a clip: frames keep their aspect ratio, are resized to whole cells, and merged in pairs."""
    height, width = (max(CELL, round(side / CELL) * CELL) for side in (clip.height, clip.width))
    if clip.max_pixels is not None and height * width > clip.max_pixels:
        shrink = math.sqrt(clip.height * clip.width / clip.max_pixels)
        height, width = (max(CELL, math.floor(side / shrink / CELL) * CELL) for side in (clip.height, clip.width))
    elif height * width < FEWEST_PIXELS:
        grow = math.sqrt(FEWEST_PIXELS / (clip.height * clip.width))
        height, width = (math.ceil(side * grow / CELL) * CELL for side in (clip.height, clip.width))
    return math.ceil(clip.frames / MERGED) * (height // CELL) * (width // CELL)
