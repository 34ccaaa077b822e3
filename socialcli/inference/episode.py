"""(torch) One episode's questions through a model: sample, encode, plan, and answer, under every condition.

Questions that see the same frames share one `ClipSession`. What goes wrong costs as little as it can: a video its
questions, a question itself; each becomes an `Outcome` that says why.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

from socialcli.adapters.contract import Adapter
from socialcli.alignment.attention import Alignment
from socialcli.episodes.records import Box, Episode, Question
from socialcli.episodes.tracks import MAX_GAP, speaker_boxes
from socialcli.errors import ModelError, QuestionError
from socialcli.inference.session import Answer, AskedQuestion, ClipSession
from socialcli.tasks.base import Task
from socialcli.tasks.labels import speaker_numbers
from socialcli.tasks.prompt import BoxesAs, Context, Scene, build_prompt
from socialcli.tasks.speakers import asked_utterance
from socialcli.video.frames import FrameSet
from socialcli.video.media import resolve_media
from socialcli.video.overlay import draw_boxes, speaker_colors
from socialcli.video.sampling import check_size, sample_frames


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOptions:
    """How questions are put to the model."""

    media_root: Path  # the folder that video paths are relative to
    with_video: bool = True  # False: inputs L
    boxes_as: BoxesAs = "none"
    context: Context = "full"
    frames: int = 8
    box_gap: float = MAX_GAP  # seconds
    generate: bool = False  # False: score the candidates
    batch_size: int = 8


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one question under one condition: an answer, or an error."""

    question: Question
    alignment: Alignment | None  # None: the model's own attention
    answer: Answer | None = None
    error: QuestionError | None = None
    asked: AskedQuestion | None = None
    frames: FrameSet | None = None
    seconds: float | None = None  # of the clip's time, shared evenly among its outcomes


def ask_episode(
    adapter: Adapter,
    episode: Episode,
    questions: Sequence[Question],
    tasks: Mapping[str, Task],
    options: AskOptions,
    conditions: Sequence[Alignment | None],
) -> list[Outcome]:
    """Put `questions` of an episode to the model under each of `conditions`; outcomes in that order, question by question."""
    outcomes: list[Outcome] = []
    ends = {question.id: _end(episode, question, options) for question in questions}
    by_end = sorted(questions, key=lambda question: ends[question.id])
    for end, group in groupby(by_end, key=lambda question: ends[question.id]):
        started = time.perf_counter()
        answered = _ask_clip(adapter, _until(episode, end), list(group), tasks, options, conditions)
        seconds = (time.perf_counter() - started) / max(len(answered), 1)
        outcomes += [replace(outcome, seconds=seconds) for outcome in answered]
    order = {question.id: place for place, question in enumerate(questions)}
    return sorted(outcomes, key=lambda outcome: (order[outcome.question.id], conditions.index(outcome.alignment)))


def _end(episode: Episode, question: Question, options: AskOptions) -> float:
    """The moment (seconds) after which the question may see nothing; infinity: the clip's own end."""
    if options.context == "full" or question.utterance is None:
        return float("inf")
    return asked_utterance(episode, question).end


def _until(episode: Episode, end: float) -> Episode:
    """The episode as it was known at `end`: neither frames nor boxes from later. Words are the prompt's business."""
    if end == float("inf"):
        return episode
    stop = end if episode.video.end is None else min(end, episode.video.end)
    boxes = tuple(box for box in episode.boxes if box.time <= end)
    return replace(episode, video=replace(episode.video, end=stop), boxes=boxes)


def _ask_clip(
    adapter: Adapter,
    episode: Episode,
    questions: Sequence[Question],
    tasks: Mapping[str, Task],
    options: AskOptions,
    conditions: Sequence[Alignment | None],
) -> list[Outcome]:
    """Ask questions that see the same frames."""
    try:
        scene, frames = _look(episode, options)
        session = ClipSession(adapter, frames)
    except QuestionError as error:
        return [Outcome(question, condition, error=error) for question in questions for condition in conditions]
    outcomes: list[Outcome] = []
    asked: list[tuple[Question, AskedQuestion]] = []
    for question in questions:
        try:
            prompt = build_prompt(tasks[question.task], episode, question, scene, options.context)
            asked.append((question, session.prepare(prompt, episode.boxes, options.box_gap)))
        except QuestionError as error:
            outcomes += [Outcome(question, condition, error=error, frames=frames) for condition in conditions]
    for batch in _batches(asked, options.batch_size):
        for condition in conditions:
            outcomes += _answer(session, batch, condition, options.generate)
    return outcomes


def _look(episode: Episode, options: AskOptions) -> tuple[Scene | None, FrameSet | None]:
    """Sample the clip's frames, and say what of them the prompt tells. Raises VideoError."""
    if not options.with_video:
        return None, None
    video = episode.video
    path = resolve_media(options.media_root, video.path)
    frames = sample_frames(path, options.frames, video.start, video.end, video.fps)
    check_size(frames, video.width, video.height)
    tracks = speaker_boxes(episode.boxes, frames.times, options.box_gap)
    boxes = {speaker.id: tracks[speaker.id] for speaker in episode.speakers if speaker.id in tracks}
    size = (frames.width, frames.height)
    if options.boxes_as != "overlay":
        return Scene(frames.times, boxes, size, options.boxes_as), frames
    numbers = {speaker: number for speaker, number in speaker_numbers(episode.speakers).items() if speaker in boxes}
    colors = {speaker: color.name for speaker, color in speaker_colors(numbers).items()}
    scene = Scene(frames.times, boxes, size, "overlay", colors)
    return scene, draw_boxes(frames, _by_frame(boxes, len(frames.frames)), numbers)


def _by_frame(
    boxes: Mapping[str, Sequence[Box | None]], count: int
) -> list[dict[str, tuple[float, float, float, float]]]:
    return [
        {speaker: (box.x0, box.y0, box.x1, box.y1) for speaker, track in boxes.items() if (box := track[index])}
        for index in range(count)
    ]


def _answer(
    session: ClipSession,
    batch: Sequence[tuple[Question, AskedQuestion]],
    condition: Alignment | None,
    generate: bool,
) -> list[Outcome]:
    """One batch under one condition. Where the model fails on a batch, its questions are tried one by one."""
    answer = session.generate if generate else session.score
    try:
        answers = answer([asked for _, asked in batch], condition)
    except ModelError as error:
        if len(batch) > 1:
            return [outcome for one in batch for outcome in _answer(session, [one], condition, generate)]
        (question, asked), = batch
        return [Outcome(question, condition, error=error, asked=asked, frames=session.frames)]
    return [
        Outcome(question, condition, answer=one, asked=asked, frames=session.frames)
        for (question, asked), one in zip(batch, answers, strict=True)
    ]


def _batches(
    asked: Sequence[tuple[Question, AskedQuestion]], size: int
) -> Iterator[list[tuple[Question, AskedQuestion]]]:
    items = iter(asked)
    while batch := list(islice(items, size)):
        yield batch
