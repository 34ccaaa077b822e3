"""Read TVQA's subtitles: `tvqa_plus_subtitles.json` of the TVQA+ release, or TVQA's folder of .srt files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import is_number, read_json
from socialcli.converting.transcripts.lines import Line
from socialcli.converting.transcripts.speaker_labels import parse_label
from socialcli.converting.transcripts.subtitles import read_subtitles
from socialcli.converting.transcripts.unread_labels import warn_unread_labels
from socialcli.converting.utterances import end_times, repair_order
from socialcli.errors import NotFoundError

_BETWEEN = "<eos>"  # separates the lines of a clip in the JSON file
MISSING = "clips without subtitles"
LONGEST = 3600.0  # seconds of a clip


class Subtitles:
    """The lines of every clip."""

    def __init__(self, place: Path | None, report: Report) -> None:
        """Read the JSON file at `place`, or later the folder's files one by one; None: no clip has subtitles."""
        self._place = place
        self._report = report
        self._clips: Mapping[str, Any] = {}
        if place is None or place.is_dir():
            return
        if not place.exists():
            raise NotFoundError(f"{place}: there is no such file or folder of subtitles")
        read = read_json(place)
        if not isinstance(read, dict):
            raise SourceError(place, None, None, "is not an object of clips; name tvqa_plus_subtitles.json")
        self._clips = read

    def of(self, clip: str) -> list[Line]:
        """The lines of a clip by start time; none if it has no subtitles, which is counted."""
        if self._place is None:
            return []
        if self._place.is_dir():
            file = self._place / f"{clip}.srt"
            if file.exists():
                return read_subtitles(file, self._report)
        elif clip in self._clips:
            lines = _lines(self._clips[clip], self._place, clip)
            warn_unread_labels(self._place, [line.text for line in lines if line.speaker is None], self._report)
            return lines
        self._report.count(MISSING)
        return []


def _lines(entry: object, path: Path, clip: str) -> list[Line]:
    """The lines of a clip in the JSON file, which gives their start times."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("sub_text"), str):
        raise SourceError(path, None, f"{clip}.sub_text", "is missing; name the released tvqa_plus_subtitles.json")
    starts = entry.get("sub_time")
    if not isinstance(starts, list) or not all(is_number(start) and start >= 0 for start in starts):
        raise SourceError(path, None, f"{clip}.sub_time", "is not a list of seconds; correct it")
    if max(starts, default=0) > LONGEST:
        message = f"reaches {max(starts):g}, but a clip lasts a minute or two: are these milliseconds? write seconds"
        raise SourceError(path, None, f"{clip}.sub_time", message)
    texts = [text.strip() for text in entry["sub_text"].split(_BETWEEN)]
    if len(texts) == len(starts) + 1 and not texts[-1]:
        texts.pop()  # the separator also follows the last line
    if len(texts) != len(starts):
        message = f"has {len(texts)} lines, but sub_time has {len(starts)} times; correct one of the two"
        raise SourceError(path, None, f"{clip}.sub_text", message)
    return _timed(starts, texts)


def _timed(starts: Sequence[float], texts: Sequence[str]) -> list[Line]:
    begins = repair_order([float(start) for start in starts])
    said = [parse_label(text) for text in texts]
    ends = end_times(begins, [words for _, words in said], least=0.0)
    return [
        Line(start, end, words, name) for start, end, (name, words) in zip(begins, ends, said, strict=True) if words
    ]
