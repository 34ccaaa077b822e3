"""Subtitles of SubRip (.srt) and WebVTT (.vtt) files. webvtt-py reads them; what it passes over in silence is told."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_text
from socialcli.converting.speech import turns

_TIME = {
    ".srt": r"(\d{1,6}):(\d{1,2}):(\d{1,2})[,.](\d{1,3})",
    ".vtt": r"(?:(\d{1,6}):)?(\d{1,2}):(\d{1,2})\.(\d{1,3})",
}
_TIMES = {suffix: re.compile(rf"\s*{time}\s*-->\s*{time}(?!\d)") for suffix, time in _TIME.items()}
_EXAMPLES = {".srt": "00:00:01,500 --> 00:00:04,000", ".vtt": "00:01.500 --> 00:04.000"}
_ARROW = re.compile(r"^\s*\d\S*\s*-->")  # an arrow elsewhere is text
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
_TAG = re.compile(r"</?[A-Za-z][^>\n]*>|<\d[\d:.]*>|</?[cv]>|\{\\[^}\n]*\}")  # <i>, <c.loud>, <00:01.000>, {\an8}


@dataclass(frozen=True, slots=True)
class Line:
    """Words that somebody says from `start` to `end` seconds; `speaker` is the name in the file, None where none is."""

    start: float
    end: float
    text: str
    speaker: str | None = None


def read_subtitles(path: Path, report: Report, known: Mapping[str, str] | None = None) -> list[Line]:
    """The lines of a subtitle file, in order of their start. Cues that cannot be read are problems of `report`.

    A cue in which several people speak becomes a line for each, all with the cue's times. Voice tags (`<v Anna>`),
    "Anna: text" and "(Anna:)text" say who; `known` as in `socialcli.converting.speech.spoken`. Raises NotThereError,
    and SourceError where the file as a whole is no subtitle file.
    """
    suffix = path.suffix.lower()
    if suffix not in _TIMES:
        raise SourceError(path, None, None, "is no subtitle file by its name; give one that ends in .srt or .vtt")
    cues = _cues(path, suffix, read_text(path), report)
    lines = [Line(start, end, text, name) for start, end, cue in cues for name, text in _said(cue, known)]
    return sorted(lines, key=lambda line: line.start)  # of equal starts, in the order of the file


def _cues(path: Path, suffix: str, text: str, report: Report) -> Iterator[tuple[float, float, str]]:
    """Start and end in seconds and the marked-up words of each cue; a problem for each line of times without one."""
    rows = [row.rstrip() for row in text.split("\n")]
    if suffix == ".srt" and _ARROW.search(next((row for row in rows if row), "")):
        rows.insert(0, "1")  # the first cue may lack its number; so may others, which is told
    cues = _parsed(path, suffix, "\n".join(rows))
    upcoming = next(cues, None)
    for number, row in enumerate(rows, start=1):
        if not _ARROW.search(row):
            continue
        times = _seconds(suffix, row)
        if times is None or times[0] > times[1]:
            wrong = f"is {row.strip()!r}, not two times in order as in {_EXAMPLES[suffix]}; correct it"
            report.bad(SourceError(path, number, "times", wrong))
        if upcoming is not None and times == upcoming[:2]:
            if times[0] <= times[1]:
                yield upcoming
            upcoming = next(cues, None)
        elif times is not None and number < len(rows) and rows[number].strip():  # a cue without words is no loss
            report.bad(SourceError(path, number, None, f"is no {suffix} cue; in .srt, a number stands above the times"))


def _parsed(path: Path, suffix: str, text: str) -> Iterator[tuple[float, float, str]]:
    import webvtt  # as the only user of it

    try:
        read = webvtt.from_buffer(io.StringIO(text.strip("\n")), format=suffix[1:])
    except webvtt.errors.MalformedFileError as error:
        begin = "a line WEBVTT" if suffix == ".vtt" else "a number, and the times below it"
        raise SourceError(
            path, 1, None, f"is no {suffix} file, which begins with {begin}; give another file"
        ) from error
    for cue in read.captions:
        yield cue.start_time.in_milliseconds() / 1000, cue.end_time.in_milliseconds() / 1000, cue.raw_text


def _seconds(suffix: str, row: str) -> tuple[float, float] | None:
    """The two times of a line of times in seconds; None where it is none."""
    found = _TIMES[suffix].match(row)
    if found is None:
        return None
    times = []
    for hours, minutes, seconds, fraction in (found.groups()[:4], found.groups()[4:]):
        milliseconds = int(fraction if suffix == ".srt" else fraction.ljust(3, "0"))  # as webvtt-py has it
        times.append((((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + milliseconds) / 1000)
    return times[0], times[1]


def _said(cue: str, known: Mapping[str, str] | None) -> Iterator[tuple[str | None, str]]:
    """Who says what in a cue's words, without their marks."""
    before, *voices = _VOICE.split(cue)
    for name, text in turns(_plain(before), known):
        yield name, text
    for name, text in zip(voices[::2], voices[1::2], strict=True):
        inside, _, after = text.partition("</v>")
        words = " ".join(_plain(inside).split())
        if words:
            yield html.unescape(" ".join(name.split())), words
        yield from turns(_plain(after), known)


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub("", text))
