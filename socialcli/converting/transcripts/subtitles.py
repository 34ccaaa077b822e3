"""Subtitles of SubRip (.srt) and WebVTT (.vtt) files: who says what, and when."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_text
from socialcli.converting.transcripts.alike import tell_unread_labels
from socialcli.converting.transcripts.cues import read_cues
from socialcli.converting.transcripts.marks import unmarked
from socialcli.converting.transcripts.rollup import unrolled
from socialcli.converting.transcripts.speech import turns, voiced

_COLOUR = re.compile(  # of a whole row; a row with several is one whose words are marked
    r"\s*<(?:font\s[^<>]*color\s*=\s*[\"']?([#A-Z0-9]+)|c\.([A-Z0-9.]+))[^<>]*>(?:(?!</?(?:font|c)\b)[^\n])*</(?:font|c)>\s*",
    re.IGNORECASE,
)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^<>]+)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """Words that somebody says from `start` to `end` seconds; `speaker` is the name in the file, None where none is."""

    start: float
    end: float
    text: str
    speaker: str | None = None


def read_subtitles(path: Path, report: Report, known: Mapping[str, str] | None = None) -> list[Line]:
    """The lines of a subtitle file, in order of their start. Cues that cannot be read are problems of `report`.

    A cue in which several people speak becomes a line for each, all with the cue's times. Voice tags (`<v Anna>`) and
    labels in front of the words say who; `known` as in `speech.spoken`. A line that roll-up captions show again is
    read once. Raises NotThereError, and SourceError where the file as a whole is no subtitle
    file.
    """
    suffix = path.suffix.lower()
    if suffix not in (".srt", ".vtt"):
        raise SourceError(path, None, None, "is no subtitle file by its name; give one that ends in .srt or .vtt")
    cues = unrolled(read_cues(path, suffix, read_text(path), report), report)
    lines = [Line(cue.start, cue.end, text, name) for cue in cues for name, text in _said("\n".join(cue.rows), known)]
    tell_unread_labels(path, [line.text for line in lines if line.speaker is None], report)
    return lines


def _said(cue: str, known: Mapping[str, str] | None) -> Iterator[tuple[str | None, str]]:
    """Who says what in a cue's words, without their marks."""
    before, *voices = _VOICE.split(_parted(cue))
    yield from turns(unmarked(before), known)
    for name, text in zip(voices[::2], voices[1::2], strict=True):
        inside, _, after = text.partition("</v>")
        yield from voiced(unmarked(name), unmarked(inside), known)
        yield from turns(unmarked(after), known)


def _parted(cue: str) -> str:
    """A cue's words, with ">>" in front of a row in another colour than the row above: so captions tell speakers."""
    rows, above = cue.split("\n"), None
    for place, row in enumerate(rows):
        found = _COLOUR.fullmatch(row)
        colour = found and (found[1] or found[2]).casefold()
        if above and colour and colour != above:
            rows[place] = f">> {row}"
        above = colour
    return "\n".join(rows)
