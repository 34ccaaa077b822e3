"""Find the files that belong to a video: those of the same name beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.clip_media import SUFFIXES
from socialcli.converting.report import MOST_WARNINGS, Report
from socialcli.converting.sources import read_json, read_text
from socialcli.converting.tracks.coco import is_coco
from socialcli.converting.tracks.label_studio import is_label_studio
from socialcli.errors import InvalidInputError, NotFoundError, UsageError

from .boxes import BoxSource
from .mot import is_mot
from .sources import Sources

ALONE = "videos skipped because no transcript of the same name lies beside them"

# Of several files of a kind, the first suffix counts: what people write comes before what programs do.
TRANSCRIPTS = (".eaf", ".textgrid", ".srt", ".vtt", ".json")
DIARIZATIONS = (".rttm",)
BOXES = (".xml", ".json", ".csv", ".mot", ".txt")


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
    transcripts = [path for path in beside if path.suffix.lower() != ".json" or not _holds_boxes(path)]
    boxes = [path for path in beside if path.suffix.lower() not in (".json", ".txt") or _holds_boxes(path)]
    return Companions(_first(transcripts, TRANSCRIPTS), _first(beside, DIARIZATIONS), _first(boxes, BOXES))


def _first(paths: Sequence[Path], suffixes: Sequence[str]) -> Path | None:
    """The path with the first of the suffixes that one has."""
    by_suffix = {path.suffix.lower(): path for path in reversed(paths)}
    return next((by_suffix[suffix] for suffix in suffixes if suffix in by_suffix), None)


def _holds_boxes(path: Path) -> bool:
    """Whether a .json or .txt file has boxes: speech recognizers write words to files of these names.

    A file that cannot be read has none: it is for the reader of transcripts to say so.
    """
    try:
        if path.suffix.lower() == ".txt":
            return is_mot(read_text(path))
        value = read_json(path)
    except InvalidInputError:
        return False
    return is_coco(value) or is_label_studio(value)
