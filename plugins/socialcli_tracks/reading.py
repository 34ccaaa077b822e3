"""Read everything that is known of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.footage import footage_at
from socialcli.converting.report import Report
from socialcli.converting.subtitles import read_subtitles
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


def read_recording(sources: Sources, media_root: Path, report: Report) -> Recording:
    """The recording of these files. Raises UsageError, SourceError and VideoError."""
    footage = footage_at(sources.video, media_root)
    if footage.length is None:
        raise NotThereError(f"{sources.video}: there is no such video file")
    labels = read_labels(sources.labels, report)
    lines = read_subtitles(sources.subtitles, report, labels.known)
    name = sources.video.stem
    length = footage.length
    diarization = None
    if sources.diarization is not None:
        diarization = Diarization(read_turns(sources.diarization, name, report))
    utterances = said(lines, labels, diarization, length, report)
    boxes: list[Box] = []
    if sources.boxes is not None:
        clock, size = Clock(sources.video, sources.fps, length), (footage.width, footage.height)
        boxes = read_boxes(sources.boxes, labels, clock, size, report)
    return Recording(name, sources.dataset, footage, utterances, tuple(boxes), labels)
