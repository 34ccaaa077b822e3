"""Read all files of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.clip_media import media_at
from socialcli.converting.diarization import Diarization, Turn, read_turns
from socialcli.converting.report import Report, SourceError
from socialcli.converting.tracks.clock import Clock
from socialcli.converting.transcripts.reading import read_transcript
from socialcli.converting.unit_checks import check_seconds
from socialcli.errors import NotFoundError

from .boxes import Boxes, BoxSource, read_boxes
from .labels import Labels, LabelTable
from .recording import Recording, read_utterances


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a recording, None for those that it does not have."""

    video: Path
    subtitles: Path
    diarization: Path | None = None
    boxes: BoxSource | None = None

    @property
    def name(self) -> str:
        """The recording's name: the video's without its suffix."""
        return self.video.stem


@dataclass(frozen=True, slots=True)
class Reading:
    """How recordings are read. `fps`: None for the video's own rate; `labels`: None without a table."""

    dataset: str
    labels: LabelTable | None = None
    fps: float | None = None
    first_frame: int | None = None  # the number of the first frame in the boxes' file; None: as `Clock` finds
    tiers: tuple[str, ...] = ()  # of an ELAN or Praat file; none: see `read_transcript`


def read_recording(sources: Sources, reading: Reading, media_root: Path, report: Report) -> Recording:
    """Read the recording from its files. Raises UsageError, SourceError and VideoError."""
    media = media_at(sources.video, media_root)
    if media.length is None:
        raise NotFoundError(f"{sources.video}: there is no such video file")
    labels = Labels() if reading.labels is None else reading.labels.of(sources.name)
    lines = read_transcript(sources.subtitles, report, labels.known, reading.tiers, sources.video)
    length = media.length
    clock = Clock(sources.video, reading.fps, length, reading.first_frame)
    check_seconds(sources.subtitles, "lines", [line.start for line in lines], length, clock.pictures)
    turns = _turns(sources, clock, report)
    diarization = Diarization(turns, labels.first) if turns else None
    utterances = read_utterances(lines, labels, diarization, length, report)
    if lines and not utterances:
        message = (
            f"all {len(lines)} lines begin after the video's end at {length:g} s; name the subtitles of this video"
        )
        raise SourceError(sources.subtitles, None, None, message)
    boxes = Boxes()
    if sources.boxes is not None:
        boxes = read_boxes(sources.boxes, labels, clock, (media.width, media.height), report)
    return Recording(
        name=sources.name,
        dataset=reading.dataset,
        video=sources.video,
        media=media,
        utterances=utterances,
        boxes=boxes.kept,
        labels=labels,
        lines=tuple(lines),
        turns=tuple(turns),
        tracks=boxes.tracks,
    )


def _turns(sources: Sources, clock: Clock, report: Report) -> list[Turn]:
    if sources.diarization is None:
        return []
    turns = read_turns(sources.diarization, sources.name, report)
    check_seconds(sources.diarization, "turns", [turn.start for turn in turns], clock.length, clock.pictures)
    return turns
