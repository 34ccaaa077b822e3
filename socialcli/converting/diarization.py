"""Find the speaker at a time from RTTM files (NIST Rich Transcription Time Marked).

A line is `SPEAKER file channel onset duration <NA> <NA> name <NA> <NA>`, separated by spaces; lines of other types and
comments (`;;`) are ignored.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.labels import normal_id
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import parse_finite, read_text

_FIELDS = (9, 10)  # the tenth, the look-ahead time, was added later
_NONE = "<NA>"
_OTHER_TYPES = frozenset(
    ("SEGMENT", "NOSCORE", "NO_RT_METADATA", "LEXEME", "NON-LEX", "NON-SPEECH", "FILLER", "EDIT", "IP", "SU", "CB")
) | {"A/P", "SPKR-INFO"}
_SHIFTED = "write names and files with underscores instead of spaces, or separate the fields by tabs"


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody speaks from `start` to `end` seconds."""

    start: float
    end: float
    name: str


def read_turns(path: Path, recording: str, report: Report) -> list[Turn]:
    """The turns of a recording by start time. Lines that cannot be read go to `report` as problems.

    A file of several recordings must include `recording`, the video's name without its suffix. Raises
    NotFoundError and SourceError.
    """
    lines = [(number, line) for number, line in enumerate(read_text(path).split("\n"), start=1) if _has_content(line)]
    if not any(line.split()[0] == "SPEAKER" for _, line in lines):
        raise SourceError(path, None, None, "has no line that begins with SPEAKER; name an RTTM file")
    turns: dict[str, list[Turn]] = {}
    for number, line in lines:
        with report.skipping_bad():
            fields = _fields(path, number, line)
            if fields[0] == "SPEAKER":
                turn = _turn(fields, path, number)
                turns.setdefault(fields[1], []).append(turn)
    if not turns:
        raise SourceError(path, None, None, "has no line that can be read; correct them")
    if len(turns) > 1 and recording not in turns:
        message = f"holds {', '.join(sorted(turns))}, but not {recording}; name the recording's own file"
        raise SourceError(path, None, None, message)
    found = turns[recording] if recording in turns else [turn for own in turns.values() for turn in own]
    return sorted(found, key=lambda turn: (turn.start, turn.end, turn.name))


def _has_content(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith(";;")


def _fields(path: Path, number: int, line: str) -> Sequence[str]:
    """The fields of a line; a SPEAKER line has the right number. Raises SourceError."""
    fields = line.split()
    if fields[0] in _OTHER_TYPES:
        return fields
    if fields[0] != "SPEAKER":
        raise SourceError(path, number, None, f"begins with {fields[0][:60]!r}, which is not an RTTM type; correct it")
    between_tabs = [field.strip() for field in line.strip("\n").split("\t")]
    if len(fields) not in _FIELDS and len(between_tabs) in _FIELDS:
        return between_tabs
    if len(fields) not in _FIELDS:
        raise SourceError(path, number, None, f"has {len(fields)} fields, but an RTTM line has 9 or 10; {_SHIFTED}")
    return fields


def _turn(fields: Sequence[str], path: Path, number: int) -> Turn:
    # A space in a name plus a missing last field also makes 10; then words and numbers are in each other's fields.
    if any(_is_number(field) for field in fields[5:7]) or not all(_is_number(field, _NONE) for field in fields[8:]):
        message = f"has fields in the wrong places ({' '.join(fields[5:])[:60]!r} from the sixth on); {_SHIFTED}"
        raise SourceError(path, number, None, message)
    if _is_number(fields[8]) and not 0 <= float(fields[8]) <= 1:  # "Speaker 2 <NA>" instead of "Anna <NA> <NA>"
        message = f"has {fields[8]!r} instead of a confidence from 0 to 1; {_SHIFTED}"
        raise SourceError(path, number, None, message)
    try:
        start, length = parse_finite(fields[3]), parse_finite(fields[4])
    except ValueError:
        message = f"are {fields[3]!r} and {fields[4]!r}, not seconds; correct them"
        raise SourceError(path, number, "onset and duration", message) from None
    if start < 0 or length < 0:
        raise SourceError(path, number, "onset and duration", "must not be below 0; correct them")
    return Turn(start, start + length, normal_id(fields[7]))


def _is_number(field: str, *others: str) -> bool:
    try:
        parse_finite(field)
    except ValueError:
        return field.upper() in others
    return True


class Diarization:
    """Finds the speaker in a time interval."""

    def __init__(self, turns: Iterable[Turn], speaker_of: Callable[[str], str] = str) -> None:
        """Index the turns. Names with the same `speaker_of` are one speaker, called by that name."""
        self._turns = _joined(Turn(turn.start, turn.end, speaker_of(turn.name)) for turn in turns)
        self._starts = [turn.start for turn in self._turns]
        self._longest = max((turn.end - turn.start for turn in self._turns), default=0.0)

    def speaker(self, start: float, end: float) -> str | None:
        """Who speaks longest from `start` to `end` seconds, None if nobody does; of equals, the first by name."""
        shares: defaultdict[str, float] = defaultdict(float)
        first = bisect_left(self._starts, start - self._longest)
        for turn in self._turns[first : bisect_left(self._starts, end)]:
            shares[turn.name] += max(0.0, min(end, turn.end) - max(start, turn.start))
        best = max(shares.values(), default=0.0)
        equals = (name for name, share in shares.items() if share > max(0.0, best - 1e-6))  # sums are not exact
        return min(equals, default=None)


def _joined(turns: Iterable[Turn]) -> list[Turn]:
    """The turns by start time, with overlapping or adjacent turns of one speaker merged."""
    found: list[Turn] = []
    latest: dict[str, int] = {}  # by name: the place of the last turn in `found`
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end, turn.name)):
        place = latest.get(turn.name)
        if place is not None and turn.start <= found[place].end:
            found[place] = Turn(found[place].start, max(found[place].end, turn.end), turn.name)
        else:
            latest[turn.name] = len(found)
            found.append(turn)
    return found
