"""How many visual tokens a clip makes, without the processor: the arithmetic of its published preprocessing."""

from __future__ import annotations

import math

from socialcli.models.contract import ClipSize

CELL = 48  # pixels: patches of 16, pooled three by three
MOST_CELLS = 70  # of a frame


def visual_tokens(clip: ClipSize) -> int:
    """The visual tokens of a clip: each frame becomes the largest whole cells of its shape within the limit."""
    scale = math.sqrt(MOST_CELLS * CELL**2 / (clip.height * clip.width))
    rows, columns = math.floor(scale * clip.height / CELL), math.floor(scale * clip.width / CELL)
    if rows == 0:  # a frame that is more than 70 times as wide as high
        rows, columns = 1, min(clip.width // clip.height, MOST_CELLS)
    elif columns == 0:
        rows, columns = min(clip.height // clip.width, MOST_CELLS), 1
    return clip.frames * rows * columns
