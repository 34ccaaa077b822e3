"""What one episodes file says of one recording, all of its episodes taken together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from socialcli.episodes.records import Box, Episode, Utterance


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a recording that an episode covers, in seconds; infinite where the episode gives no limit."""

    episode_id: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Annotation:
    """The people, words and boxes of a recording. `windows` are in order of time."""

    video: str
    frame: tuple[int, int]  # width and height, in pixels
    windows: tuple[Window, ...]
    speakers: tuple[str, ...]
    utterances: tuple[Utterance, ...]
    boxes: tuple[Box, ...]


def joined_annotation(video: str, episodes: Iterable[Episode]) -> Annotation:
    """The annotation of a recording from its episodes, at least one.

    Windows that overlap repeat utterances and boxes: each counts once. A speaker's id means the same person in all
    episodes of a recording. Where two episodes place a speaker differently at the same time, the first is used.
    """
    episodes = sorted(episodes, key=lambda one: (_start(one), _end(one), one.episode_id))
    speakers: dict[str, None] = {}
    utterances: dict[tuple[str | None, float, float, str], Utterance] = {}
    boxes: dict[tuple[str, float], Box] = {}
    frame = (episodes[0].video.width, episodes[0].video.height)
    for episode in episodes:
        speakers |= dict.fromkeys(speaker.id for speaker in episode.speakers)
        speakers |= dict.fromkeys(line.speaker for line in episode.utterances if line.speaker is not None)
        for line in episode.utterances:
            utterances.setdefault((line.speaker, line.start, line.end, line.text), line)
        for box in _scaled(episode.boxes, (episode.video.width, episode.video.height), frame):
            boxes.setdefault((box.speaker, box.time), box)
    return Annotation(
        video=video,
        frame=frame,
        windows=tuple(Window(one.episode_id, _start(one), _end(one)) for one in episodes),
        speakers=tuple(speakers | dict.fromkeys(speaker for speaker, _ in boxes)),
        utterances=tuple(utterances.values()),
        boxes=tuple(boxes.values()),
    )


def resized(annotation: Annotation, frame: tuple[int, int]) -> Annotation:
    """The annotation with its boxes in a frame of another size: videos are often annotated in a smaller copy."""
    return replace(annotation, frame=frame, boxes=tuple(_scaled(annotation.boxes, annotation.frame, frame)))


def _scaled(boxes: Iterable[Box], before: tuple[int, int], after: tuple[int, int]) -> Iterable[Box]:
    """The boxes; those of a frame of the same size are not touched by rounding."""
    if before == after:
        return boxes
    x, y = after[0] / before[0], after[1] / before[1]
    return [replace(box, x0=box.x0 * x, x1=box.x1 * x, y0=box.y0 * y, y1=box.y1 * y) for box in boxes]


def _start(episode: Episode) -> float:
    return -math.inf if episode.video.start is None else episode.video.start


def _end(episode: Episode) -> float:
    return math.inf if episode.video.end is None else episode.video.end
