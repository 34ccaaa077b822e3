"""Merge captions that show a line more than once: rolling up, growing, or marking each word as it is said.

YouTube's automatic captions and live television repeat a line while the next one is said. Paint-on captions grow word
by word. `whisper --highlight_words` writes a cue per word, with that word marked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from socialcli.converting.report import Report
from socialcli.converting.transcripts.cues import Cue
from socialcli.converting.transcripts.markup import strip_markup
from socialcli.words.boundaries import joined
from socialcli.words.scripts import seen

JOINED = "repeated lines of roll-up captions, merged into one"
_FLUSH = 0.1  # most seconds between cues of a rolling window; after a longer gap, a line is said again
_FLASH = 0.05  # seconds too short to say a line in: YouTube shows the old line for 0.01 s before it rolls on
_FEWEST_GROWING = 2  # cues that extend the one before, and
_LEAST_GROWING = 0.3  # their share of the cues, in growing captions: others may say "No." and then "No. Please."
_WHEN_SAID = re.compile(r"<\d[\d:.]*>|</?c[^<>\n]*>")  # does not change how a word looks
_MARK_WITHIN = re.compile(r"\S\s*(?:<[^<>\n]+>|\{\\[^{}\n]*\})+\s*\S")


def merge_repeats(cues: Sequence[Cue], report: Report) -> list[Cue]:
    """The cues by start time, with each line once, at the times of the cue where it first appears.

    Cues that differ only in the marked word become one, from the first to the last, and so do the cues of a growing
    line. In roll-up captions, repeated lines are removed. Captions are roll-up if at least two consecutive cues begin
    with the last lines of the cue before and add new ones, or if a line is shown again for an instant. A line that
    somebody says twice in ordinary subtitles stays.
    """
    ordered = sorted(cues, key=lambda cue: cue.start)
    ordered = _merged(ordered, _marks_another_word, report)
    growing = sum(_grows(*pair) for pair in pairwise(ordered))
    if growing >= max(_FEWEST_GROWING, _LEAST_GROWING * (len(ordered) - 1)):
        ordered = _merged(ordered, _grows, report)
    return _rolled(ordered, report)


def _words(cue: Cue) -> list[str]:
    return [" ".join(seen(strip_markup(row)).split()) for row in cue.rows]


def _flush(before: Cue, cue: Cue) -> bool:
    return cue.start - before.end <= _FLUSH


def _marks_another_word(before: Cue, cue: Cue) -> bool:
    """Whether a cue repeats the words of the one before with different words marked."""
    rows, again = ([_WHEN_SAID.sub("", row) for row in one.rows] for one in (before, cue))
    marked = any(_MARK_WITHIN.search(row) for row in (*rows, *again))
    return _flush(before, cue) and marked and rows != again and _words(before) == _words(cue)


def _grows(before: Cue, cue: Cue) -> bool:
    """Whether a cue repeats the words of the one before and extends the last line."""
    old, new = _words(before), _words(cue)
    same = len(old) == len(new) and old[:-1] == new[:-1]
    more = len(old[-1]) < len(new[-1]) and new[-1].startswith(old[-1]) and not joined(new[-1], len(old[-1]))
    return _flush(before, cue) and same and more


def _merged(cues: Sequence[Cue], follows: Callable[[Cue, Cue], bool], report: Report) -> list[Cue]:
    """The cues, where each that `follows` the one before is merged into it: with the end and the words of the last."""
    found: list[Cue] = []
    before: Cue | None = None
    for cue in cues:
        if before is not None and follows(before, cue):
            report.count(JOINED, len(cue.rows))
            found[-1] = replace(found[-1], end=max(found[-1].end, cue.end), rows=cue.rows)
        else:
            found.append(cue)
        before = cue
    return found


def _rolled(cues: Sequence[Cue], report: Report) -> list[Cue]:
    """The cues without the first lines that the cue before already showed, if these are roll-up captions."""
    shown = [0, *(_shown_again(*pair) for pair in pairwise(cues))][: len(cues)]
    runs = list(_runs(shown))
    rolls = any(_rolls(cues[first:last], shown[first:last], len(cues)) for first, last in runs)
    found = []
    for first, last in runs:
        fewest = 2 if rolls else len(cues)
        joined = _rolls(cues[first:last], shown[first:last], fewest)
        for cue, again in zip(cues[first:last], shown[first:last], strict=True):
            if again and joined:
                report.count(JOINED, again)
                cue = replace(cue, rows=cue.rows[again:])
            found += [cue] if cue.rows else []
    return found


def _shown_again(before: Cue, cue: Cue) -> int:
    """The number of first lines of a cue that are the last lines of the one before, with no gap between the cues."""
    old, new = _words(before), _words(cue)
    lengths = range(min(len(old), len(new)), 0, -1) if _flush(before, cue) else ()
    return next((length for length in lengths if old[-length:] == new[:length]), 0)


def _runs(shown: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The bounds [first, last) of each run of cues linked by repeated lines."""
    first = 0
    for index in range(1, len(shown)):
        if not shown[index]:
            yield first, index
            first = index
    if shown:
        yield first, len(shown)


def _rolls(cues: Sequence[Cue], shown: Sequence[int], fewest: int) -> bool:
    """Whether a run of cues is a rolling window; a run of fewer than three cues only if it has at least `fewest`."""
    again = list(zip(cues, shown, strict=True))
    if any(lines == len(cue.rows) and cue.end - cue.start <= _FLASH for cue, lines in again):
        return True
    return len(cues) >= min(3, fewest) and any(0 < lines < len(cue.rows) for cue, lines in again)
