"""Sampled frames: images of the video's own size, each with its presentation time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A decoded picture: `image` is RGB, uint8, (height, width, 3); `time` is seconds on the file's clock."""

    time: float
    image: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class FrameSet:
    """The sampled frames of a clip, in order of time, all of one size.

    `distinct` is the number of different pictures among them: less than `len(frames)` where the clip has fewer
    frames than were requested, so that some repeat.
    """

    frames: tuple[Frame, ...]
    distinct: int

    @property
    def times(self) -> tuple[float, ...]:
        """Presentation time of each frame, seconds."""
        return tuple(frame.time for frame in self.frames)

    @property
    def width(self) -> int:
        """Width of the original frames, pixels."""
        return int(self.frames[0].image.shape[1])

    @property
    def height(self) -> int:
        """Height of the original frames, pixels."""
        return int(self.frames[0].image.shape[0])

    @property
    def fps(self) -> float:
        """Sampled frames per second (1.0 if all are at one moment)."""
        span = self.frames[-1].time - self.frames[0].time
        return (len(self.frames) - 1) / span if span > 0 else 1.0
