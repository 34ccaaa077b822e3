"""Read all files of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.clip_media import media_at
from socialcli.converting.report import Report, SourceError
from socialcli.converting.tracks.clock import Clock
from socialcli.converting.transcripts.reading import read_transcript
from socialcli.converting.unit_checks import check_seconds
from socialcli.errors import NotFoundError

from .boxes import Boxes, BoxSource, read_boxes
from .diarization import Diarization, read_turns
from .labels import read_labels
from .recording import Recording, read_utterances


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a recording, None for those not given. `fps`: None for the video's own rate."""

    video: Path
    subtitles: Path
    diarization: Path | None
    boxes: BoxSource | None
    labels: Path | None
    fps: float | None
    first_frame: int | None  # the number of the first frame in the boxes' file; None: as `Clock` finds
    dataset: str
    tiers: tuple[str, ...] = ()  # of an ELAN or Praat file; none: see `read_transcript`


def read_recording(sources: Sources, media_root: Path, report: Report) -> Recording:
    """Read the recording from its files. Raises UsageError, SourceError and VideoError."""
    media = media_at(sources.video, media_root)
    if media.length is None:
        raise NotFoundError(f"{sources.video}: there is no such video file")
    labels = read_labels(sources.labels, report)
    lines = read_transcript(sources.subtitles, report, labels.known, sources.tiers, sources.video)
    name = sources.video.stem
    length = media.length
    clock = Clock(sources.video, sources.fps, length, sources.first_frame)
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
    boxes = Boxes()
    if sources.boxes is not None:
        boxes = read_boxes(sources.boxes, labels, clock, (media.width, media.height), report)
    return Recording(name, sources.dataset, media, utterances, boxes.kept, labels)
