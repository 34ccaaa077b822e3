"""How many visual tokens a clip makes, without the processor: the arithmetic of the published preprocessing."""

from __future__ import annotations

import math

from socialcli.models.contract import ClipSize

MERGED = 2  # frames in a step
QWEN2_CELL = 28  # pixels: patches of 14, merged two by two
QWEN2_FEWEST_PIXELS = 56 * 56  # of a frame in the published checkpoints


def qwen2_visual_tokens(clip: ClipSize) -> int:
    """The visual tokens of a clip for Qwen2-VL and Qwen2.5-VL."""
    rows, columns = grid_of(clip.height, clip.width, QWEN2_CELL, QWEN2_FEWEST_PIXELS, clip.max_pixels)
    return steps_of(clip.frames) * rows * columns


def steps_of(frames: int) -> int:
    """The steps in time of a clip: an odd last frame is a step of its own."""
    return math.ceil(frames / MERGED)


def grid_of(height: int, width: int, cell: int, fewest: float, most: int | None) -> tuple[int, int]:
    """The rows and columns of a frame of `height` x `width` pixels that is resized to whole cells.

    The frame has `fewest` to `most` pixels (None: any number), and keeps its aspect ratio as far as cells of
    `cell` x `cell` pixels allow.
    """
    rows, columns = round(height / cell), round(width / cell)
    pixels = rows * columns * cell * cell
    if most is not None and pixels > most:
        shrink = math.sqrt(height * width / most)
        return max(1, math.floor(height / shrink / cell)), max(1, math.floor(width / shrink / cell))
    if pixels < fewest:
        grow = math.sqrt(fewest / (height * width))
        return math.ceil(height * grow / cell), math.ceil(width * grow / cell)
    return rows, columns
