"""Roll-up captions, which show a line again while the next one is said: YouTube's, those of live television."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from socialcli.converting.cues import Cue
from socialcli.converting.marks import plain, seen
from socialcli.converting.report import Report

JOINED = "lines of roll-up captions that were shown again, and are said once"
_FLUSH = (
    0.1  # seconds from a cue to the next at most, where the window only rolls on; behind a gap, a line is said anew
)
_FLASH = 0.05  # seconds that a line can't be said in: YouTube shows what was said for 0.01 s before it rolls on


def unrolled(cues: Sequence[Cue], report: Report) -> list[Cue]:
    """The cues in order of their start, each line once: in the cue where it first appears, with that cue's times.

    Cues are joined where at least two in a row begin with the lines that the one before ends with, and bring new ones,
    or where a line is shown again for an instant. A line that somebody says twice in ordinary subtitles stays.
    """
    ordered = sorted(cues, key=lambda cue: cue.start)
    words = [[_words(row) for row in cue.rows] for cue in ordered]
    shown = [0, *(_shown_again(pair, texts) for pair, texts in zip(pairwise(ordered), pairwise(words), strict=True))]
    found = []
    for first, last in _runs(shown):
        rolls = _rolls(ordered[first:last], shown[first:last], whole=last - first == len(ordered))
        for cue, again in zip(ordered[first:last], shown[first:last], strict=True):
            again = again if rolls else 0
            if again:
                report.count(JOINED, again)
            if again < len(cue.rows):
                found.append(replace(cue, rows=cue.rows[again:]))
    return found


def _words(row: str) -> str:
    return " ".join(seen(plain(row)).split())


def _shown_again(cues: tuple[Cue, Cue], words: tuple[list[str], list[str]]) -> int:
    """How many lines at the beginning of a cue are those at the end of the one before it, without a gap between."""
    (before, cue), (old, new) = cues, words
    if cue.start - before.end > _FLUSH:
        return 0
    lengths = range(min(len(old), len(new)), 0, -1)
    return next((length for length in lengths if old[-length:] == new[:length]), 0)


def _runs(shown: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and one past the last of each run of cues that are linked by lines shown again."""
    first = 0
    for index in range(1, len(shown)):
        if not shown[index]:
            yield first, index
            first = index
    if shown:
        yield first, len(shown)


def _rolls(cues: Sequence[Cue], shown: Sequence[int], whole: bool) -> bool:
    """Whether a run of cues is a window that rolls. `whole`: it is the whole file."""
    brings_new = any(again and again < len(cue.rows) for cue, again in zip(cues, shown, strict=True))
    flashes = any(
        again == len(cue.rows) and cue.end - cue.start <= _FLASH for cue, again in zip(cues, shown, strict=True)
    )
    return flashes or (brings_new and (whole or len(cues) > 2))
