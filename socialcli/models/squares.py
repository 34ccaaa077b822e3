"""Frames padded to squares, for models that see squares only: nothing is cut off or distorted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from socialcli.video.frames import FrameSet


def pad_to_square(frames: FrameSet, mean: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """The frames in the middle of squares of the colour `mean`, (frames, side, side, 3).

    `mean` (3) is a processor's mean, red, green and blue of 0 to 1: what it makes of the padding is 0.
    """
    left, top, side = square_around(frames.width, frames.height)
    padded = np.empty((len(frames.frames), side, side, 3), dtype=np.uint8)
    padded[:] = np.round(np.asarray(mean) * 255)
    padded[:, -top : frames.height - top, -left : frames.width - left] = [frame.image for frame in frames.frames]
    return padded


def square_around(width: int, height: int) -> tuple[int, int, int]:
    """The square around a frame of that size: its left and top edge (0 or less) and its side, pixels of the frame."""
    side = max(width, height)
    return -((side - width) // 2), -((side - height) // 2), side
