"""Whether a file counts frames from 0 or from 1, and the times of its frames."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from socialcli.converting.clip_media import frame_times
from socialcli.converting.report import Report

FROM_0 = "boxes of frames counted from 0, because frame 0 occurs"


@dataclass(frozen=True)
class Clock:
    """Converts frame numbers to seconds, and decides which boxes come too late.

    Frame times are those of the `video`, or follow the rate `fps` if given. `length` is the end of the video in
    seconds. `first` is the number of the first frame; None: 0 in a table, in other files as `counted_from` finds.
    """

    video: Path
    fps: float | None
    length: float
    first: int | None = None

    def seconds(self, frame: float) -> float:
        """The time of a frame, counted from 0; infinity if the video has no such frame. Raises VideoError."""
        if self.fps is not None:
            return frame / self.fps
        return self._times[int(frame)] if frame < len(self._times) else float("inf")

    def shows(self, time: float) -> bool:
        """Whether the video lasts until `time`, within rounding."""
        return time <= self.length + 1e-3

    def pictures(self) -> int:
        """The number of pictures in the video. Raises VideoError."""
        return len(self._times)

    def frames(self) -> int:
        """The number of frames until the video's end, at the rate `fps` if given. Raises VideoError."""
        return self.pictures() if self.fps is None else math.floor((self.length + 1e-3) * self.fps) + 1

    def counted_from(self, frames: Iterable[float], report: Report) -> int:
        """The number of the first frame in a file with these `frames`: as given, else 0 if 0 occurs, else 1.

        Many trackers number from 0, although the format of the MOT Challenge begins with 1. A 0 is counted in `report`.
        """
        if self.first is not None:
            return self.first
        numbers = list(frames)
        if 0 not in numbers:
            return 1
        report.count(FROM_0, len(numbers))
        return 0

    @cached_property
    def _times(self) -> tuple[float, ...]:
        return frame_times(self.video)
