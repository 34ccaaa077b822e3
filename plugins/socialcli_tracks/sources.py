"""Read all files of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.clip_media import media_at
from socialcli.converting.report import Report, SourceError
from socialcli.converting.transcripts.reading import read_transcript
from socialcli.converting.unit_checks import check_seconds, source_size
from socialcli.episodes.records import Box
from socialcli.errors import NotFoundError

from .boxes import Clock, read_boxes
from .diarization import Diarization, read_turns
from .labels import read_labels
from .recording import Recording, read_utterances


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a recording, None for those not given. `fps`: None for the video's own rate."""

    video: Path
    subtitles: Path
    diarization: Path | None
    boxes: Path | None
    labels: Path | None
    fps: float | None
    dataset: str
    box_unit: str = "pixels"  # or "shares" of the picture's width and height
    tiers: tuple[str, ...] = ()  # of an ELAN or Praat file; none: see `read_transcript`


def read_recording(sources: Sources, media_root: Path, report: Report) -> Recording:
    """Read the recording from its files. Raises UsageError, SourceError and VideoError."""
    media = media_at(sources.video, media_root)
    if media.length is None:
        raise NotFoundError(f"{sources.video}: there is no such video file")
    labels = read_labels(sources.labels, report)
    lines = read_transcript(sources.subtitles, report, labels.known, sources.tiers)
    name = sources.video.stem
    length = media.length
    clock = Clock(sources.video, sources.fps, length)
    check_seconds(sources.subtitles, "lines", [line.start for line in lines], length, clock.pictures)
    diarization = None
    if sources.diarization is not None:
        turns = read_turns(sources.diarization, name, report)
        check_seconds(sources.diarization, "turns", [turn.start for turn in turns], length, clock.pictures)
        diarization = Diarization(turns, labels.first)
    utterances = read_utterances(lines, labels, diarization, length, report)
    if lines and not utterances:
        message = (
            f"all {len(lines)} lines begin after the video's end at {length:g} s; name the subtitles of this video"
        )
        raise SourceError(sources.subtitles, None, None, message)
    boxes: list[Box] = []
    if sources.boxes is not None:
        size = (media.width, media.height)
        boxes = read_boxes(sources.boxes, labels, clock, size, source_size(sources.box_unit, size), report)
    return Recording(name, sources.dataset, media, utterances, tuple(boxes), labels)
