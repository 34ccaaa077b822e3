"""(torch) The times of sampled frames for processors that write them into the prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers.video_utils import VideoMetadata


def times_from_first(times: Sequence[float], duration: float | None = None) -> VideoMetadata:
    """The metadata of frames at `times`, seconds, by which a processor writes each as seconds since the first.

    A processor writes a frame's index / rate. With a rate of 1 and times as indices it writes the frames' own times,
    which are not quite even, and repeat where a clip has few frames. `duration` is the clip's, seconds.
    """
    # Rounded, since processors cut times to whole seconds: 2.9999999999999996 is 3.
    seconds: list[Any] = [round(time - times[0], 6) for time in times]
    return VideoMetadata(total_num_frames=len(seconds), fps=1.0, frames_indices=seconds, duration=duration)
