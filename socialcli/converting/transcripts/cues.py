"""Read the cues of SubRip (.srt) and WebVTT (.vtt) files. Every row belongs to something or is reported.

A library such as webvtt-py gives no line numbers and silently drops what it does not recognize: webvtt-py 0.6.0 drops a
WebVTT block without readable times, and in SubRip appends such a block, times included, to the words of the cue above.
The tests compare this reader with webvtt-py on files without such blocks.
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

EARLY = "cues that began before 0 seconds, moved to begin at 0"
BEFORE = "cues dropped because they end before 0 seconds"
_EXAMPLES = {".srt": "00:00:01,500 --> 00:00:04,000", ".vtt": "00:01.500 --> 00:04.000"}
_NUMBER = re.compile(r"#?(\d{1,9})[.)]?")
_NAMED = re.compile(r"[^\s:]*\d[^\s:]*|[^\W\d_]+\.?\s*\d+")  # "Cue 2" instead of a SubRip number
_NOTE = re.compile(r"NOTE(?:[ \t].*)?|STYLE\s*|REGION\s*")


@dataclass(slots=True)
class Cue:
    """Rows shown from `start` to `end` seconds, with markup. `line` is the line of its times, counted from 1."""

    line: int
    start: float
    end: float
    rows: list[str] = field(default_factory=list)


def read_cues(path: Path, suffix: str, text: str, report: Report) -> list[Cue]:
    """The cues of a file that have words, in the order of the file.

    `suffix` is .srt or .vtt. Rows outside any cue and unreadable times go to `report` as problems. Raises SourceError
    if the text as a whole is not such a file.
    """
    rows = text.split("\n")
    first = next((row for row in rows if seen(row).strip()), "")
    web = seen(first).startswith("WEBVTT")
    if not web and (suffix == ".vtt" or not any(looks_like_times(row, Place.DUE) for row in rows)):
        begin = "a line WEBVTT" if suffix == ".vtt" else "a number and a line of times"
        raise SourceError(path, 1, None, f"is not a {suffix} file, which begins with {begin}; name another file")
    reader = _Reader(path, rows, web, report)
    return [cue for cue in _from_zero(reader.cues(), report) if cue.rows]


def _from_zero(cues: Iterable[Cue], report: Report) -> Iterator[Cue]:
    """The cues with starts moved to 0 or later; cues that end before 0 are dropped."""
    for cue in cues:
        if cue.start < 0 and cue.end <= 0:
            report.count(BEFORE)
            continue
        if cue.start < 0:
            report.count(EARLY)
            cue.start = 0.0
        yield cue


class _Reader:
    """Goes through the rows of a file and assigns each to its cue, note or header."""

    def __init__(self, path: Path, rows: Sequence[str], web: bool, report: Report) -> None:
        """Prepare to read the rows of a WebVTT file (`web`) or a SubRip file."""
        self._path = path
        self._rows = rows
        self._web = web
        self._report = report
        self._number = 0  # the last cue's

    def cues(self) -> list[Cue]:
        """The cues, with or without words."""
        found: list[Cue] = []
        owner: list[str] | None = None  # collects the following rows; for a note or a bad row, a list that is dropped
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
                # A blank row ends a WebVTT cue that has words; before its words it is padding trimmed by an editor.
                owner, gap = [row], False
                message = (
                    f"is {row.strip()[:60]!r}, which belongs to no cue; put a line of times above it, or remove it"
                )
                self._report.skip_or_raise(SourceError(self._path, at + 1, None, message))
            else:
                owner += [row] if seen(row).strip() else []
                gap = False
            at += 1
        return found

    def _header(self) -> int:
        """The row after the header of a WebVTT file: a blank row or a line of times."""
        at = next(index for index, row in enumerate(self._rows) if seen(row).strip()) + 1
        while at < len(self._rows) and not self._blank(at) and not looks_like_times(self._rows[at], Place.WORDS):
            at += 1
        return at

    def _blank(self, at: int) -> bool:
        """Whether a row ends a block.

        In WebVTT, an empty row does, and so do spaces before the next block; spaces inside a cue are padding.
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
        """The row with the times of a cue that begins at row `at`: that row, or one below a number or a name."""
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
        """Whether a row is the number of a cue with neither times nor words."""
        alone = at + 1 >= len(self._rows) or not seen(self._rows[at + 1]).strip()
        number = _number(self._rows[at])
        return alone and number is not None and (self._web or number == self._number + 1)

    def _next_row(self, at: int) -> int:
        return next((row for row in range(at + 1, len(self._rows)) if seen(self._rows[row]).strip()), len(self._rows))

    def _cue(self, at: int) -> Cue | None:
        """The cue whose times are in row `at`, without words; None, and reported, if the times cannot be read."""
        above = _number(self._rows[at - 1]) if at else None
        self._number = self._number + 1 if above is None else above
        times = read_times(self._rows[at], self._web)
        if times is None or times[0] > times[1]:
            self._report.skip_or_raise(SourceError(self._path, at + 1, "times", self._wrong(self._rows[at])))
            return None
        return Cue(at + 1, *times)

    def _wrong(self, row: str) -> str:
        behind = words_behind_times(row)
        if behind:
            return f"are followed by {behind[:60]!r}; put words on their own line"
        example = _EXAMPLES[".vtt" if self._web else ".srt"]
        return f"is {row.strip()[:80]!r}, not two times in order as in {example}; correct it"


def _number(row: str) -> int | None:
    """The number in a row that contains nothing else."""
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", seen(row)).strip())
    return None if found is None else int(found[1])
