"""The cues of SubRip (.srt) and WebVTT (.vtt) files. Every row belongs to something, or is told.

The rows are read here, since a library such as webvtt-py knows no line numbers and passes over what it does not take
for a cue: webvtt-py 0.6.0 drops a WebVTT block without readable times, and in SubRip adds it, times and all, to the
words of the cue above. On files that have no such blocks, the tests compare this reader with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.transcripts.timecodes import Place, looks_like_times, read_times, words_behind_times
from socialcli.words.scripts import seen

EARLY = "cues that begin before 0 seconds, and begin there now"
BEFORE = "cues dropped that end before 0 seconds"
_EXAMPLES = {".srt": "00:00:01,500 --> 00:00:04,000", ".vtt": "00:01.500 --> 00:04.000"}
_NUMBER = re.compile(r"#?(\d{1,9})[.)]?")
_NAMED = re.compile(r"[^\s:]*\d[^\s:]*|[^\W\d_]+\.?\s*\d+")  # "Cue 2" in the place of a number of SubRip
_NOTE = re.compile(r"NOTE(?:[ \t].*)?|STYLE\s*|REGION\s*")


@dataclass(slots=True)
class Cue:
    """What is shown from `start` to `end` seconds: rows with their marks. `line` is that of its times, from 1."""

    line: int
    start: float
    end: float
    rows: list[str] = field(default_factory=list)


def read_cues(path: Path, suffix: str, text: str, report: Report) -> list[Cue]:
    """The cues of a file's text that have words, in the order of the file.

    `suffix` is .srt or .vtt. Rows that belong nowhere and times that cannot be read are problems of `report`. Raises
    SourceError where the text as a whole is none of such a file.
    """
    rows = text.split("\n")
    first = next((row for row in rows if seen(row).strip()), "")
    web = seen(first).startswith("WEBVTT")
    if not web and (suffix == ".vtt" or not any(looks_like_times(row, Place.DUE) for row in rows)):
        begin = "a line WEBVTT" if suffix == ".vtt" else "a number, and the times below it"
        raise SourceError(path, 1, None, f"is no {suffix} file, which begins with {begin}; give another file")
    reader = _Reader(path, rows, web, report)
    return [cue for cue in _from_zero(reader.cues(), report) if cue.rows]


def _from_zero(cues: Iterable[Cue], report: Report) -> Iterator[Cue]:
    """The cues, none of which begins before 0; those that end before it are left out."""
    for cue in cues:
        if cue.start < 0 and cue.end <= 0:
            report.count(BEFORE)
            continue
        if cue.start < 0:
            report.count(EARLY)
            cue.start = 0.0
        yield cue


class _Reader:
    """Walks down the rows of a file and gives each to what it belongs to."""

    def __init__(self, path: Path, rows: Sequence[str], web: bool, report: Report) -> None:
        """Prepare to read the rows of a WebVTT file (`web`) or a SubRip file."""
        self._path = path
        self._rows = rows
        self._web = web
        self._report = report
        self._number = 0  # of the last cue

    def cues(self) -> list[Cue]:
        """The cues, with or without words."""
        found: list[Cue] = []
        owner: list[str] | None = None  # takes the words that come; what takes those of a note or a bad row is dropped
        at = self._header() if self._web else 0
        gap = True  # the row is the first of its block
        while at < len(self._rows):
            row = self._rows[at]
            times = None if self._blank(at) else self._times(at, gap)
            if self._blank(at):
                gap = True
            elif times is not None:
                cue = self._cue(times)
                found += [cue] if cue is not None else []
                owner, at, gap = ([row] if cue is None else cue.rows), times, False
            elif gap and self._web and _NOTE.fullmatch(row):
                owner, gap = [row], False
            elif gap and self._lonely_number(at):
                gap = False
            elif owner is None or (gap and self._web and owner):
                # A blank row ends a cue of WebVTT that has words; before them it is padding that an editor has trimmed.
                owner, gap = [row], False
                message = f"is {row.strip()[:60]!r}, and belongs to no cue; put a line of times above it, or remove it"
                self._report.bad(SourceError(self._path, at + 1, None, message))
            else:
                owner += [row] if seen(row).strip() else []
                gap = False
            at += 1
        return found

    def _header(self) -> int:
        """Where the header of a WebVTT file ends: at a blank row or a line of times."""
        at = next(index for index, row in enumerate(self._rows) if seen(row).strip()) + 1
        while at < len(self._rows) and not self._blank(at) and not looks_like_times(self._rows[at], Place.WORDS):
            at += 1
        return at

    def _blank(self, at: int) -> bool:
        """Whether a row ends a block.

        In WebVTT an empty row does, and blanks in front of the next block; blanks inside a cue are padding.
        """
        row = self._rows[at]
        if seen(row).strip():
            return False
        if not self._web or not row:
            return True
        below, next_below = (*self._rows[at + 1 : at + 3], "", "")[:2]
        if _number(below) is not None:
            below = next_below
        return not seen(below).strip() or looks_like_times(below, Place.WORDS)

    def _times(self, at: int, gap: bool) -> int | None:
        """Where the times of a cue stand that begins at a row: in it, or below it where it is a number or a name."""
        row, below = self._rows[at], self._rows[at + 1] if at + 1 < len(self._rows) else ""
        place = Place.WORDS if not gap else Place.DUE if self._web else Place.BLOCK
        if looks_like_times(row, place):
            return at
        number = _number(row)
        named = gap and (not _NOTE.fullmatch(row) if self._web else _NAMED.fullmatch(row.strip()) is not None)
        if (number is not None or named) and looks_like_times(below, Place.WORDS if number is None else Place.DUE):
            return at + 1
        if number is None or not gap:
            return None
        next_row = self._next_row(at)
        if at + 1 < next_row < len(self._rows) and looks_like_times(self._rows[next_row], Place.DUE):
            return next_row
        return at + 1 if number == self._number + 1 and seen(below).strip() else None

    def _lonely_number(self, at: int) -> bool:
        """Whether a row is the number of a cue that has neither times nor words."""
        alone = at + 1 >= len(self._rows) or not seen(self._rows[at + 1]).strip()
        number = _number(self._rows[at])
        return alone and number is not None and (self._web or number == self._number + 1)

    def _next_row(self, at: int) -> int:
        return next((row for row in range(at + 1, len(self._rows)) if seen(self._rows[row]).strip()), len(self._rows))

    def _cue(self, at: int) -> Cue | None:
        """The cue whose times stand in a row, without its words; None, and told, where they cannot be read."""
        above = _number(self._rows[at - 1]) if at else None
        self._number = self._number + 1 if above is None else above
        times = read_times(self._rows[at], self._web)
        if times is None or times[0] > times[1]:
            self._report.bad(SourceError(self._path, at + 1, "times", self._wrong(self._rows[at])))
            return None
        return Cue(at + 1, *times)

    def _wrong(self, row: str) -> str:
        behind = words_behind_times(row)
        if behind:
            return f"have {behind[:60]!r} behind them; put words into a line of their own"
        example = _EXAMPLES[".vtt" if self._web else ".srt"]
        return f"is {row.strip()[:80]!r}, not two times in order as in {example}; correct it"


def _number(row: str) -> int | None:
    """The number in a row that holds nothing else."""
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", seen(row)).strip())
    return None if found is None else int(found[1])
