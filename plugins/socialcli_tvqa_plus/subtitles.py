"""TVQA's subtitles: `tvqa_plus_subtitles.json` of the TVQA+ release, or the folder of .srt files of TVQA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from socialcli.converting.context import endings, in_order
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import is_number, read_json
from socialcli.converting.transcripts.alike import tell_unread_labels
from socialcli.converting.transcripts.speech import spoken
from socialcli.converting.transcripts.subtitles import Line, read_subtitles
from socialcli.errors import NotThereError

_BETWEEN = "<eos>"  # stands between the lines of a clip in the JSON file
MISSING = "clips without subtitles"
LONGEST = 3600.0  # seconds of a clip


class Subtitles:
    """The lines of every clip."""

    def __init__(self, place: Path | None, report: Report) -> None:
        """Read the JSON file at `place`, or the folder when a clip is asked for; None: no clip has any."""
        self._place = place
        self._report = report
        self._clips: Mapping[str, Any] = {}
        if place is None or place.is_dir():
            return
        if not place.exists():
            raise NotThereError(f"{place}: there is no such file or folder of subtitles")
        read = read_json(place)
        if not isinstance(read, dict):
            raise SourceError(place, None, None, "is not an object of clips; give tvqa_plus_subtitles.json")
        self._clips = read

    def of(self, clip: str) -> list[Line]:
        """The lines of a clip in order of their start; none where it has no subtitles, which is counted."""
        if self._place is None:
            return []
        if self._place.is_dir():
            file = self._place / f"{clip}.srt"
            if file.exists():
                return read_subtitles(file, self._report)
        elif clip in self._clips:
            lines = _lines(self._clips[clip], self._place, clip)
            tell_unread_labels(self._place, [line.text for line in lines if line.speaker is None], self._report)
            return lines
        self._report.count(MISSING)
        return []


def _lines(entry: object, path: Path, clip: str) -> list[Line]:
    """The lines of a clip of the JSON file, which says when they begin."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("sub_text"), str):
        raise SourceError(
            path, None, f"{clip}.sub_text", "is missing; give tvqa_plus_subtitles.json as it was released"
        )
    starts = entry.get("sub_time")
    if not isinstance(starts, list) or not all(is_number(start) and start >= 0 for start in starts):
        raise SourceError(path, None, f"{clip}.sub_time", "is not a list of seconds; correct it")
    if max(starts, default=0) > LONGEST:
        message = f"reaches {max(starts):g}, and a clip lasts a minute or two: are these milliseconds? write seconds"
        raise SourceError(path, None, f"{clip}.sub_time", message)
    texts = [text.strip() for text in entry["sub_text"].split(_BETWEEN)]
    if len(texts) == len(starts) + 1 and not texts[-1]:
        texts.pop()  # the mark stands behind the last line, too
    if len(texts) != len(starts):
        message = f"has {len(texts)} lines, and sub_time {len(starts)} times; correct one of the two"
        raise SourceError(path, None, f"{clip}.sub_text", message)
    return _timed(starts, texts)


def _timed(starts: Sequence[float], texts: Sequence[str]) -> list[Line]:
    begins = in_order([float(start) for start in starts])
    said = [spoken(text) for text in texts]
    ends = endings(begins, [words for _, words in said], least=0.0)
    return [
        Line(start, end, words, name) for start, end, (name, words) in zip(begins, ends, said, strict=True) if words
    ]
