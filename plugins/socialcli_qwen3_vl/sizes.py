"""How many visual tokens a clip makes, without the processor: the arithmetic of its published preprocessing."""

from __future__ import annotations

from socialcli.models.contract import ClipSize
from socialcli_qwen.sizes import MERGED, grid_of, steps_of

CELL = 32  # pixels: patches of 16, merged two by two
FEWEST_PIXELS = 4096  # of all frames together in the published checkpoints


def visual_tokens(clip: ClipSize) -> int:
    """The visual tokens of a clip: frames keep their aspect ratio, are resized to whole cells, and merged in pairs."""
    height, width = clip.height, clip.width
    if min(height, width) < CELL:  # a frame that is narrower than a cell is enlarged first
        scale = CELL / min(height, width)
        height, width = int(height * scale), int(width * scale)
    steps = steps_of(clip.frames)
    rows, columns = grid_of(height, width, CELL, FEWEST_PIXELS / (steps * MERGED), clip.max_pixels)
    return steps * rows * columns
