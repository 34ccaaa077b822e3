"""Exact time: windows, clocks in whole ticks, and the ticks of a uniform sample."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from socialcli.errors import VideoError

_EDGE = Fraction(1, 1_000_000)  # seconds around a window that belong to it, so that 0.1 + 0.2 finds 0.3


@dataclass(frozen=True, slots=True)
class Window:
    """Part of a clip, seconds, both ends included; None: from the beginning or to the end of the file."""

    start: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        """Raise VideoError where the ends are not numbers or in the wrong order."""
        for name, value in (("start", self.start), ("end", self.end)):
            if value is not None and not math.isfinite(value):
                raise VideoError(f"the window's {name} is {value}; give a number of seconds, or leave it out")
        if self.start is not None and self.end is not None and self.start > self.end:
            raise VideoError(f"the window starts at {self.start} s, after its end at {self.end} s; swap them")

    def __str__(self) -> str:
        """The window as a message names it."""
        start = "the beginning" if self.start is None else f"{self.start:g} s"
        end = "the end" if self.end is None else f"{self.end:g} s"
        return f"from {start} to {end}"


@dataclass(frozen=True, slots=True)
class Clock:
    """Converts a file's time stamps, whole ticks of `time_base` seconds, to seconds since `origin`."""

    time_base: Fraction
    origin: Fraction = Fraction(0)

    def seconds(self, tick: int) -> float:
        """The time of a tick, correctly rounded."""
        return float(tick * self.time_base - self.origin)

    def ticks(self, seconds: float) -> int:
        """A duration in whole ticks, rounded down."""
        return math.floor(Fraction(seconds) / self.time_base)

    def first_tick(self, window: Window) -> int | None:
        """The first tick inside the window; None where it is open."""
        if window.start is None:
            return None
        return math.ceil((Fraction(window.start) - _EDGE + self.origin) / self.time_base)

    def last_tick(self, window: Window) -> int | None:
        """The last tick inside the window; None where it is open."""
        if window.end is None:
            return None
        return math.floor((Fraction(window.end) + _EDGE + self.origin) / self.time_base)


def within(ticks: Sequence[int], first: int | None, last: int | None) -> range:
    """The indices of the sorted `ticks` from `first` to `last`, both included."""
    begin = 0 if first is None else bisect_left(ticks, first)
    end = len(ticks) if last is None else bisect_left(ticks, last + 1)
    return range(begin, max(begin, end))


def pick_uniform(ticks: Sequence[int], count: int) -> list[int]:
    """Indices of `count` of the sorted, non-empty `ticks`, uniform in time.

    The targets are `numpy.linspace(ticks[0], ticks[-1], count)`, or the middle of the two for a count of 1,
    in exact arithmetic; each takes the nearest tick, of two equally near the earlier. Indices repeat where
    ticks are few.
    """
    if count == 1:
        return [_nearest(ticks, Fraction(ticks[0] + ticks[-1], 2))]
    step = Fraction(ticks[-1] - ticks[0], count - 1)
    return [_nearest(ticks, ticks[0] + step * place) for place in range(count)]


def _nearest(ticks: Sequence[int], target: Fraction) -> int:
    after = min(bisect_left(ticks, target), len(ticks) - 1)
    if after and target - ticks[after - 1] <= ticks[after] - target:
        return bisect_left(ticks, ticks[after - 1])
    return after
