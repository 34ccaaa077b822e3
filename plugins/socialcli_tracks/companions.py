"""Find the files that belong to a video: those of the same name beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.clip_media import SUFFIXES
from socialcli.converting.report import MOST_WARNINGS, Report
from socialcli.converting.sources import read_text
from socialcli.errors import NotFoundError, UsageError

from .boxes import BoxSource
from .mot import is_mot
from .sources import Sources

ALONE = "videos skipped because no transcript of the same name lies beside them"

TRANSCRIPTS = (
    ".eaf",
    ".textgrid",
    ".srt",
    ".vtt",
    ".json",
)  # of several, the first: what people correct, then programs
DIARIZATIONS = (".rttm",)
BOXES = (".csv", ".mot", ".txt")


@dataclass(frozen=True, slots=True)
class Companions:
    """The files beside a video that have its name, None for those that are not there."""

    transcript: Path | None
    diarization: Path | None
    boxes: Path | None


def find_videos(places: Sequence[Path]) -> list[Path]:
    """The videos that are named, and those in the folders that are named, in order; a folder's by name.

    Raises NotFoundError for a place that does not exist or a folder without videos, UsageError for two videos of one
    name, which would be one recording.
    """
    found: dict[str, Path] = {}
    for place in places:
        for video in _videos(place):
            other = found.setdefault(video.stem, video)
            if other != video:
                message = f"{other} and {video} are both the recording {video.stem!r}; rename one, or convert it alone"
                raise UsageError(message)
    return list(found.values())


def _videos(place: Path) -> list[Path]:
    if not place.is_dir():
        if not place.exists():
            raise NotFoundError(f"{place}: there is no such video file")
        return [place]
    videos = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES and path.name[:1] != ".")
    if not videos:
        raise NotFoundError(f"{place}: has no video, a file that ends in one of {', '.join(SUFFIXES)}")
    return videos


def all_sources(videos: Sequence[Path], unit: str, columns: Mapping[str, str], report: Report) -> Iterator[Sources]:
    """The files of each video that has a transcript beside it, logged; videos without one are counted and named.

    `unit` and `columns` are those of boxes, as for `BoxSource`.
    """
    folders = {folder: _by_stem(folder) for folder in {video.parent for video in videos}}
    for video in videos:
        found = _companions(video, folders[video.parent].get(video.stem, ()))
        if found.transcript is None:
            report.count(ALONE)
            if report.counts[ALONE] <= MOST_WARNINGS:
                report.warn(f"{video}: has no transcript beside it: {expected(video)}")
            continue
        beside = [path.name for path in (found.transcript, found.diarization, found.boxes) if path is not None]
        report.inform(f"{video}: reads {', '.join(beside)}")
        boxes = None if found.boxes is None else BoxSource(found.boxes, unit, columns)
        yield Sources(video, found.transcript, found.diarization, boxes)


def expected(video: Path) -> str:
    """The transcripts that a video could have, in words."""
    return f"{video.stem}{TRANSCRIPTS[0]}, {', '.join(TRANSCRIPTS[1:-1])} or {TRANSCRIPTS[-1]}"


def _by_stem(folder: Path) -> Mapping[str, Sequence[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file():
            found.setdefault(path.stem, []).append(path)
    return found


def _companions(video: Path, beside: Sequence[Path]) -> Companions:
    return Companions(_first(beside, TRANSCRIPTS), _first(beside, DIARIZATIONS), _first(beside, BOXES))


def _first(paths: Sequence[Path], suffixes: Sequence[str]) -> Path | None:
    """The path with the first of the suffixes that one has."""
    by_suffix = {path.suffix.lower(): path for path in reversed(paths)}
    return next((by_suffix[suffix] for suffix in suffixes if _fits(by_suffix.get(suffix))), None)


def _fits(path: Path | None) -> bool:
    """Whether a path exists and may be what its suffix says: speech recognizers write words to .txt, too."""
    return path is not None and (path.suffix.lower() != ".txt" or is_mot(read_text(path)))
