"""Read the lines of SubRip (.srt) and WebVTT (.vtt) subtitles with their speakers and times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_text
from socialcli.converting.transcripts.cues import read_cues
from socialcli.converting.transcripts.lines import Line
from socialcli.converting.transcripts.markup import strip_markup
from socialcli.converting.transcripts.rollup import merge_repeats
from socialcli.converting.transcripts.speaker_labels import parse_voice, turns
from socialcli.converting.transcripts.unread_labels import warn_unread_labels

_COLOUR = re.compile(  # of a whole row; several colours in a row mark words
    r"\s*<(?:font\s[^<>]*color\s*=\s*[\"']?([#A-Z0-9]+)|c\.([A-Z0-9.]+))[^<>]*>(?:(?!</?(?:font|c)\b)[^\n])*</(?:font|c)>\s*",
    re.IGNORECASE,
)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^<>]+)>", re.IGNORECASE)


def read_subtitles(path: Path, report: Report, known: Mapping[str, str] | None = None) -> list[Line]:
    """The lines of a subtitle file by start time. Cues that cannot be read go to `report` as problems.

    A cue with several speakers becomes one line per speaker, all with the cue's times. Voice tags (`<v Anna>`) and
    labels before the words name the speaker; `known` as in `parse_label`. Repeated lines of roll-up captions are read
    once. Raises NotFoundError, and SourceError if the file as a whole is not a subtitle file.
    """
    suffix = path.suffix.lower()
    if suffix not in (".srt", ".vtt"):
        raise SourceError(path, None, None, "is not named like a subtitle file; name one that ends in .srt or .vtt")
    cues = merge_repeats(read_cues(path, suffix, read_text(path), report), report)
    lines = [Line(cue.start, cue.end, text, name) for cue in cues for name, text in _said("\n".join(cue.rows), known)]
    warn_unread_labels(path, [line.text for line in lines if line.speaker is None], report)
    return lines


def _said(cue: str, known: Mapping[str, str] | None) -> Iterator[tuple[str | None, str]]:
    """The speakers and words of a cue, without markup."""
    before, *voices = _VOICE.split(_parted(cue))
    yield from turns(strip_markup(before), known)
    for name, text in zip(voices[::2], voices[1::2], strict=True):
        inside, _, after = text.partition("</v>")
        yield from parse_voice(strip_markup(name), strip_markup(inside), known)
        yield from turns(strip_markup(after), known)


def _parted(cue: str) -> str:
    """A cue's words, with ">>" before a row whose colour differs from the row above: captions mark speakers so."""
    rows, above = cue.split("\n"), None
    for place, row in enumerate(rows):
        found = _COLOUR.fullmatch(row)
        colour = found and (found[1] or found[2]).casefold()
        if above and colour and colour != above:
            rows[place] = f">> {row}"
        above = colour
    return "\n".join(rows)
