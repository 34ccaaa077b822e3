"""The positions of a prompt's tokens as Qwen2.5-VL was trained with them: in time, height and width.

The rule is that of the model's authors (their `get_rope_index`, also in transformers 4): the text behind a video begins
behind the video's largest position on any axis, time included. transformers 5 ignores time here, so that the text
overlaps the times of every clip that is long enough.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def trained_positions(
    length: int, tokens: npt.NDArray[np.int64], seconds_per_step: float, tokens_per_second: float
) -> npt.NDArray[np.int64]:
    """The positions of a prompt of `length` tokens with one video in it, (3, length): time, height, width.

    `tokens` (steps, rows, columns) are the indices of the video's tokens in the prompt, contiguous. Steps are
    `seconds_per_step` apart, and a second is `tokens_per_second` positions.
    """
    start, end = int(tokens[0, 0, 0]), int(tokens[-1, -1, -1]) + 1
    positions = np.empty((3, length), dtype=np.int64)
    positions[:, :start] = np.arange(start)
    positions[:, start:end] = start + _in_video(tokens.shape, seconds_per_step, tokens_per_second)
    behind = int(positions[:, :end].max()) + 1
    positions[:, end:] = np.arange(behind, behind + length - end)
    return positions


def _in_video(shape: Sequence[int], seconds_per_step: float, tokens_per_second: float) -> npt.NDArray[np.int64]:
    """Positions from the video's start, (3, tokens): the step's time, rounded down, then row and column.

    Time is computed in float32, as in the authors' code: near a whole number this decides the rounding.
    """
    steps, rows, columns = shape
    moments = np.arange(steps, dtype=np.float32) * np.float32(seconds_per_step) * np.float32(tokens_per_second)
    axes = np.meshgrid(moments.astype(np.int64), np.arange(rows), np.arange(columns), indexing="ij")
    return np.stack(axes).reshape(3, -1)
