"""What the model sees of a clip: its frames, and the boxes in them that the prompt mentions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from socialcli.episodes.records import Box, Episode, Question
from socialcli.episodes.tracks import MAX_GAP, speaker_boxes
from socialcli.tasks.labels import speaker_numbers
from socialcli.tasks.names import BoxesAs, Context
from socialcli.tasks.prompt import Scene
from socialcli.tasks.speakers import asked_utterance
from socialcli.video.frames import FrameSet
from socialcli.video.limits import DEFAULT_LIMITS
from socialcli.video.media import resolve_media
from socialcli.video.overlay import draw_boxes, speaker_colors
from socialcli.video.sampling import check_size, sample_frames

_ROUNDING = 1e-6  # seconds that a frame of the clip may lie before its start


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOptions:
    """How questions are put to the model."""

    media_root: Path  # the folder that video paths are relative to
    with_video: bool = True  # False: inputs L
    boxes_as: BoxesAs = "none"
    context: Context = "full"
    frames: int = 8
    box_gap: float = MAX_GAP  # seconds
    timeout: float | None = None  # seconds for reading a clip, and for each question in the model; None: no limit
    batch_size: int | None = None  # questions in a batch; None: as many as fit


def sample_clip(episode: Episode, options: AskOptions) -> tuple[Scene | None, FrameSet | None]:
    """Sample the clip's frames, with what the prompt says about them; nothing without video. Raises VideoError."""
    if not options.with_video:
        return None, None
    video = episode.video
    path = resolve_media(options.media_root, video.path)
    limits = replace(DEFAULT_LIMITS, until=inf if options.timeout is None else time.monotonic() + options.timeout)
    frames = _since(video.start, sample_frames(path, options.frames, video.start, video.end, video.fps, limits=limits))
    check_size(frames, video.width, video.height)
    return show_frames(episode, options, frames)


def show_frames(episode: Episode, options: AskOptions, frames: FrameSet) -> tuple[Scene, FrameSet]:
    """What the prompt says about `frames`, and the frames as the model sees them: as they are, or with boxes drawn."""
    tracks = speaker_boxes(episode.boxes, frames.times, options.box_gap)
    boxes = {speaker.id: tracks[speaker.id] for speaker in episode.speakers if speaker.id in tracks}
    size = (frames.width, frames.height)
    if options.boxes_as != "overlay":
        return Scene(frames.times, boxes, size, options.boxes_as), frames
    numbers = {speaker: number for speaker, number in speaker_numbers(episode.speakers).items() if speaker in boxes}
    colors = {speaker: color.name for speaker, color in speaker_colors(numbers).items()}
    scene = Scene(frames.times, boxes, size, "overlay", colors)
    return scene, draw_boxes(frames, _by_frame(boxes, len(frames.frames)), numbers)


def last_moment(episode: Episode, question: Question, options: AskOptions) -> float:
    """The time in seconds after which the question may see nothing; infinity: the end of the clip."""
    if options.context == "full" or question.utterance is None:
        return float("inf")
    return asked_utterance(episode, question).end


def known_until(episode: Episode, end: float) -> Episode:
    """The episode up to `end`: without later frames and boxes. The prompt leaves out later words itself."""
    if end == float("inf"):
        return episode
    stop = end if episode.video.end is None else min(end, episode.video.end)
    boxes = tuple(box for box in episode.boxes if box.time <= end)
    return replace(episode, video=replace(episode.video, end=stop), boxes=boxes)


def _since(start: float | None, frames: FrameSet) -> FrameSet:
    """The frames of a clip that begins at `start`; one on screen since before gets the time `start`.

    Words and boxes of a clip lie inside it, so that a frame with an earlier time would match none of them.
    """
    first = frames.frames[0]
    if start is None or first.time >= start - _ROUNDING:
        return frames
    return replace(frames, frames=(replace(first, time=start),) * len(frames.frames))


def _by_frame(
    boxes: Mapping[str, Sequence[Box | None]], count: int
) -> list[dict[str, tuple[float, float, float, float]]]:
    return [
        {speaker: (box.x0, box.y0, box.x1, box.y1) for speaker, track in boxes.items() if (box := track[index])}
        for index in range(count)
    ]
