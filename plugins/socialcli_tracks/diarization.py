"""Who speaks when, from RTTM files (NIST Rich Transcription Time Marked).

A line is `SPEAKER file channel onset duration <NA> <NA> name <NA> <NA>`, blanks between; other types of lines and
comments (`;;`) say nothing of who speaks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import finite, read_text

_FIELDS = 9  # at least; a tenth, the look-ahead time, came later


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody speaks from `start` to `end` seconds."""

    start: float
    end: float
    name: str


def read_turns(path: Path, recording: str, report: Report) -> list[Turn]:
    """The turns of a recording, in order of their start. Lines that cannot be read are problems of `report`.

    A file of several recordings must have `recording`, the video's name without its ending, among them. Raises
    NotThereError and SourceError.
    """
    turns: dict[str, list[Turn]] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        fields = line.split()
        if not fields or fields[0].startswith(";;") or fields[0] != "SPEAKER":
            continue
        with report.sparing():
            turn = _turn(fields, path, number)
            turns.setdefault(fields[1], []).append(turn)
    if not turns:
        raise SourceError(path, None, None, "has no line that begins with SPEAKER; give an RTTM file")
    if len(turns) > 1 and recording not in turns:
        message = f"holds {', '.join(sorted(turns))}, and not {recording}; give the recording's own file"
        raise SourceError(path, None, None, message)
    found = turns[recording] if recording in turns else [turn for own in turns.values() for turn in own]
    return sorted(found, key=lambda turn: (turn.start, turn.end, turn.name))


def _turn(fields: Sequence[str], path: Path, number: int) -> Turn:
    if len(fields) < _FIELDS:
        raise SourceError(path, number, None, f"has {len(fields)} fields, and an RTTM line 9 or 10; correct it")
    try:
        start, length = finite(fields[3]), finite(fields[4])
    except ValueError:
        message = f"are {fields[3]!r} and {fields[4]!r}, not seconds; correct them"
        raise SourceError(path, number, "onset and duration", message) from None
    if start < 0 or length < 0:
        raise SourceError(path, number, "onset and duration", "must not be below 0; correct them")
    return Turn(start, start + length, fields[7])


class Diarization:
    """Finds who speaks in a stretch of time."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        """Know the turns, which are in order of their start."""
        self._turns = turns
        self._starts = [turn.start for turn in turns]
        self._longest = max((turn.end - turn.start for turn in turns), default=0.0)

    def speaker(self, start: float, end: float) -> str | None:
        """Who speaks longest from `start` to `end` seconds; None where nobody does. Of equals, the first by name."""
        shares: defaultdict[str, float] = defaultdict(float)
        first = bisect_left(self._starts, start - self._longest)
        for turn in self._turns[first : bisect_left(self._starts, end)]:
            shares[turn.name] += max(0.0, min(end, turn.end) - max(start, turn.start))
        best = max(shares.values(), default=0.0)
        return min((name for name, share in shares.items() if share == best), default=None) if best > 0 else None
