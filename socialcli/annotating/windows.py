"""Cut a recording into windows at pauses, so that each becomes an episode."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from socialcli.episodes.records import Utterance

WINDOW = 30.0  # seconds: eight frames of it still show who is where
_LEAD = 0.1  # of a window, shown before its first words
_EARLIEST = 0.5  # of a window, from where on a pause may end it


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a recording, from `start` to `end` seconds, with the utterances that begin in it."""

    start: float
    end: float
    utterances: tuple[Utterance, ...]


def windows(utterances: Sequence[Utterance], length: float, longest: float = WINDOW) -> list[Window]:
    """The windows of a recording of `length` seconds, in order; each has an utterance, and together they have all.

    `utterances` are in order of time. A window is at most `longest` seconds long, unless an utterance alone is longer.
    It ends in the middle of the longest pause of its second half. Long silence is in no window. Two windows overlap
    only where people talk at the same time.
    """
    found: list[Window] = []
    rest, before = list(utterances), 0.0
    while rest:
        start = min(rest[0].start, max(before, rest[0].start - _LEAD * longest))
        count = _count(rest, start, longest)
        inside, rest = rest[:count], rest[count:]
        last = max(one.end for one in inside)
        end = (last + rest[0].start) / 2 if rest else length
        found.append(Window(start, max(last, min(end, start + longest)), tuple(inside)))
        before = found[-1].end
    return found


def _count(rest: Sequence[Utterance], start: float, longest: float) -> int:
    """How many of the utterances make a window that begins at `start`."""
    ends = list(accumulate((one.end for one in rest), max))
    fitting = max(1, bisect_right(ends, start + longest))
    if fitting == len(rest):
        return fitting
    counts = [count for count in range(1, fitting + 1) if ends[count - 1] >= start + _EARLIEST * longest]
    return max(counts, key=lambda count: rest[count].start - ends[count - 1], default=fitting)
