"""The positions in time of Qwen2.5-VL: a step's time in the video, in whole positions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def moments(steps: int, seconds_per_step: float, tokens_per_second: float) -> npt.NDArray[np.int64]:
    """The position in time of each of `steps` steps, (steps,), rounded down; a second is `tokens_per_second` positions.

    Computed in float32, as in the authors' code: near a whole number this decides the rounding.
    """
    exact = np.arange(steps, dtype=np.float32) * np.float32(seconds_per_step) * np.float32(tokens_per_second)
    return exact.astype(np.int64)
