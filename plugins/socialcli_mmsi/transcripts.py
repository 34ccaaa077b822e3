"""Read MMSI's transcripts: `[Player1] (03:27): words`, one utterance per line; `[PlayerN]` in the words is a mention.

Source: the release of "Modeling Multimodal Social Interactions: New Challenges and Baselines with Densely Aligned
Representations" (Lee et al., CVPR 2024), https://github.com/sangmin-git/MMSI. Its loader reads the lines the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_text
from socialcli.converting.transcripts.speaker_labels import COLONS, label_forms
from socialcli.words.boundaries import stands_alone
from socialcli.words.spelling import folded

_LINE = re.compile(rf"(?P<who>[^(（]*)[(（](?P<time>[^)）]*)[)）][{COLONS}](?:[ \u3000](?P<words>.*))?")
_TIME = re.compile(r"(\d{1,6}):(\d\d?)")
_SPEAKER = re.compile(r"player ?(\d{1,6})")  # as a folded label; any other speaker is unknown
_MENTION = re.compile(r"\[Player(\d+)\]|Player(\d+)")


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """A line of a transcript. `player` is None if the speaker is not a player, such as a narrator."""

    number: int  # of the line in the file, from 1
    line: str  # as in the file
    seconds: float
    player: int | None
    offset: int  # characters of `line` before the words

    @property
    def words(self) -> str:
        """The spoken words, with mentions as `[PlayerN]`."""
        return self.line[self.offset :]


def read_transcript(path: Path, report: Report) -> list[TranscriptLine | None]:
    """The non-empty lines of a transcript; None for those that cannot be read, which go to `report` as problems."""
    found: list[TranscriptLine | None] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line:
            try:
                found.append(_spoken(path, number, line))
            except SourceError as error:
                report.skip_or_raise(error)
                found.append(None)
    return found


def _spoken(path: Path, number: int, line: str) -> TranscriptLine:
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise SourceError(
            path, number, None, f"is {line[:60]!r}, not like '[Player1] (03:27): words'; correct the line"
        )
    time = _TIME.fullmatch(parts["time"].strip())
    if time is None:
        raise SourceError(path, number, "time", f"is {parts['time']!r}, not minutes:seconds; correct it")
    player = _player(parts["who"])
    offset = parts.start("words") if parts["words"] is not None else len(line)
    seconds = 60.0 * int(time[1]) + int(time[2])
    return TranscriptLine(number, line, seconds, player, offset)


def _player(who: str) -> int | None:
    """The number of the player that a label names, with or without brackets, in upper or lower case."""
    found = (_SPEAKER.fullmatch(folded(form)) for form in label_forms(who))
    return next((int(player[1]) for player in found if player is not None), None)


def read_labels(path: Path) -> list[str]:
    """The non-empty lines of a labelled transcript."""
    return [line for line in read_text(path).split("\n") if line]


def display_text(words: str, span: tuple[int, int] | None = None) -> tuple[str, tuple[int, int] | None]:
    """Words for an episode, with "Speaker 2" for the mention `[Player2]` as in prompts, and `span` moved accordingly.

    `span` is [start, end) in characters of `words`; it must not begin or end inside a mention.
    """
    if span is None:
        return _renamed(words), None
    before, inside, after = (_renamed(part) for part in (words[: span[0]], words[slice(*span)], words[span[1] :]))
    return before + inside + after, (len(before), len(before) + len(inside))


def _renamed(words: str) -> str:
    def renamed(found: re.Match[str]) -> str:
        whole = found[1] is not None or stands_alone(words, *found.span())
        return f"Speaker {found[1] or found[2]}" if whole else found[0]

    return _MENTION.sub(renamed, words)
