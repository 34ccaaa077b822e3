"""Read everything that is known of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.footage import footage_at
from socialcli.converting.report import Report, SourceError
from socialcli.converting.transcripts.subtitles import read_subtitles
from socialcli.converting.units import check_seconds, source_size
from socialcli.episodes.records import Box
from socialcli.errors import NotThereError

from .boxes import Clock, read_boxes
from .diarization import Diarization, read_turns
from .labels import read_labels
from .recording import Recording, said


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a recording; None where there is none of a kind. `fps`: None for what the video says."""

    video: Path
    subtitles: Path
    diarization: Path | None
    boxes: Path | None
    labels: Path | None
    fps: float | None
    dataset: str
    box_unit: str = "pixels"  # or "shares" of the picture's width and height


def read_recording(sources: Sources, media_root: Path, report: Report) -> Recording:
    """The recording of these files. Raises UsageError, SourceError and VideoError."""
    footage = footage_at(sources.video, media_root)
    if footage.length is None:
        raise NotThereError(f"{sources.video}: there is no such video file")
    labels = read_labels(sources.labels, report)
    lines = read_subtitles(sources.subtitles, report, labels.known)
    name = sources.video.stem
    length = footage.length
    clock = Clock(sources.video, sources.fps, length)
    check_seconds(sources.subtitles, "lines", [line.start for line in lines], length, clock.pictures)
    diarization = None
    if sources.diarization is not None:
        turns = read_turns(sources.diarization, name, report)
        check_seconds(sources.diarization, "turns", [turn.start for turn in turns], length, clock.pictures)
        diarization = Diarization(turns, labels.first)
    utterances = said(lines, labels, diarization, length, report)
    if lines and not utterances:
        message = (
            f"all {len(lines)} lines begin after the video's end at {length:g} s; give the subtitles of this video"
        )
        raise SourceError(sources.subtitles, None, None, message)
    boxes: list[Box] = []
    if sources.boxes is not None:
        size = (footage.width, footage.height)
        boxes = read_boxes(sources.boxes, labels, clock, size, source_size(sources.box_unit, size), report)
    return Recording(name, sources.dataset, footage, utterances, tuple(boxes), labels)
