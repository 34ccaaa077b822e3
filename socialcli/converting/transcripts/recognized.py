"""Read the JSON of speech recognizers: whisper, faster-whisper and whisperX.

    {"segments": [{"start": 0.5, "end": 2.1, "text": " Did he take it?", "speaker": "SPEAKER_00",
                   "words": [{"word": "Did", "start": 0.5, "end": 0.7, "speaker": "SPEAKER_00"}, ...]}, ...]}

whisperX adds `speaker`, the diarizer's label, to segments and words; the others have none. Where the words of a segment
have several speakers, each run of words is a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import is_number, read_json, required_field
from socialcli.converting.transcripts.lines import Line

_WHAT = 'is not the JSON of whisper or whisperX, which has a list "segments"; name another file'


def read_recognized(path: Path, report: Report) -> list[Line]:
    """The lines of a recognizer's JSON. Segments that cannot be read go to `report` as problems.

    Raises NotFoundError, and SourceError for a file of another kind.
    """
    value = read_json(path)
    segments = value.get("segments") if isinstance(value, dict) else None
    if not isinstance(segments, list):
        raise SourceError(path, None, None, _WHAT)
    lines: list[Line] = []
    for number, segment in enumerate(segments):
        with report.skipping_bad():
            lines += _lines(segment, path, f"segments[{number}]")
    return lines


def _lines(segment: Any, path: Path, where: str) -> Iterator[Line]:
    if not isinstance(segment, dict):
        raise SourceError(path, None, where, f"is {segment!r}, not an object; correct it")
    start, end = _times(segment, path, where)
    text, speaker = required_field(segment, "text", str, path, where).strip(), _speaker(segment, path, where)
    words = segment.get("words") or []
    if not isinstance(words, list) or not all(isinstance(word, dict) for word in words):
        raise SourceError(path, None, f"{where}.words", "is not a list of objects; correct it")
    speakers = [word.get("speaker") or speaker for word in words]
    if len(set(speakers)) < 2:
        yield from [Line(start, end, text, speakers[0] if speakers else speaker)] if text else []
        return
    for name, run in groupby(zip(words, speakers, strict=True), key=lambda one: one[1]):
        said = [word for word, _ in run]
        shown = " ".join(str(word.get("word", "")).strip() for word in said).strip()
        if shown:
            yield Line(_first(said, "start", start), _first(said[::-1], "end", end), shown, name)


def _times(segment: Mapping[str, Any], path: Path, where: str) -> tuple[float, float]:
    start, end = (required_field(segment, name, (int, float), path, where) for name in ("start", "end"))
    if not (is_number(start) and is_number(end) and 0 <= start <= end):
        raise SourceError(path, None, where, f"has start {start} and end {end}, not two times in order; correct it")
    return float(start), float(end)


def _speaker(segment: Mapping[str, Any], path: Path, where: str) -> str | None:
    return required_field(segment, "speaker", str, path, where) if segment.get("speaker") is not None else None


def _first(words: Sequence[Mapping[str, Any]], field: str, otherwise: float) -> float:
    """The first time among the words: whisperX leaves it out where it could not align a word, such as a number."""
    return next((float(word[field]) for word in words if is_number(word.get(field))), otherwise)
