"""Read a transcript of any format, by the ending of its name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.transcripts.lines import Line
from socialcli.converting.transcripts.linked_media import origin_of
from socialcli.converting.transcripts.recognized import read_recognized
from socialcli.converting.transcripts.subtitles import read_subtitles
from socialcli.converting.transcripts.tiers import read_elan, read_textgrid

SUFFIXES = (".srt", ".vtt", ".json", ".eaf", ".TextGrid")


def read_transcript(
    path: Path,
    report: Report,
    known: Mapping[str, str] | None = None,
    tiers: Collection[str] = (),
    video: Path | None = None,
) -> list[Line]:
    """The lines of a transcript by start time: subtitles, a speech recognizer's JSON, or tiers of ELAN or Praat.

    `known` as in `read_subtitles`; `tiers` names those to read of ELAN or Praat, none: see `read_elan`. Times count
    from the beginning of `video`, which an ELAN file may link with an offset. What cannot be read goes to `report`.
    Raises NotFoundError, and SourceError for a file of another kind, or tiers it cannot have.
    """
    suffix = path.suffix.lower()
    if tiers and suffix not in (".eaf", ".textgrid"):
        raise SourceError(path, None, None, "has no tiers; --tier is for an .eaf or .TextGrid file")
    if suffix == ".json":
        return read_recognized(path, report)
    if suffix == ".eaf":
        origin = 0.0 if video is None else origin_of(path, video)
        return [replace(one, start=one.start + origin, end=one.end + origin) for one in read_elan(path, tiers, report)]
    if suffix == ".textgrid":
        return read_textgrid(path, tiers, report)
    if suffix not in (".srt", ".vtt"):
        endings = ", ".join(SUFFIXES[:-1])
        raise SourceError(path, None, None, f"is no transcript by its name, which ends in {endings} or {SUFFIXES[-1]}")
    return read_subtitles(path, report, known)
