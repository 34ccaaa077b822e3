"""(torch) One episode's questions through a model: sample, encode, plan, and answer, under every condition.

Questions that see the same frames share one `ClipSession`. What goes wrong costs as little as it can: a video its
questions, a question itself; each becomes an `Outcome` that says why.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from socialcli.adapters.contract import Adapter
from socialcli.alignment.attention import Alignment
from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError
from socialcli.inference.looking import AskOptions
from socialcli.inference.session import Answer, AskedQuestion, ClipSession
from socialcli.tasks.base import Task
from socialcli.tasks.speakers import asked_utterance
from socialcli.video.frames import FrameSet


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
    """Put `questions` of an episode to the model under each of `conditions`; outcomes in that order, per question."""
    outcomes: list[Outcome] = []
    ends = {question.id: last_moment(episode, question, options) for question in questions}
    by_end = sorted(questions, key=lambda question: ends[question.id])
    for end, group in groupby(by_end, key=lambda question: ends[question.id]):
        started = time.perf_counter()
        answered = _ask_clip(adapter, known_until(episode, end), list(group), tasks, options, conditions)
        seconds = (time.perf_counter() - started) / max(len(answered), 1)
        outcomes += [replace(outcome, seconds=seconds) for outcome in answered]
    order = {question.id: place for place, question in enumerate(questions)}
    return sorted(outcomes, key=lambda outcome: (order[outcome.question.id], conditions.index(outcome.alignment)))


def last_moment(episode: Episode, question: Question, options: AskOptions) -> float:
    """The moment (seconds) after which the question may see nothing; infinity: the clip's own end."""
    if options.context == "full" or question.utterance is None:
        return float("inf")
    return asked_utterance(episode, question).end


def known_until(episode: Episode, end: float) -> Episode:
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
        session = ClipSession(adapter, episode, options)
    except QuestionError as error:
        return [Outcome(question, condition, error=error) for question in questions for condition in conditions]
    outcomes: list[Outcome] = []
    asked: list[AskedQuestion] = []
    for question in questions:
        try:
            asked.append(session.ask(question, tasks[question.task]))
        except QuestionError as error:
            outcomes += [Outcome(question, condition, error=error, frames=session.frames) for condition in conditions]
    for batch in _batches(asked, options.batch_size):
        for condition in conditions:
            outcomes += _answer(session, batch, condition, options.generate)
    return outcomes


def _answer(
    session: ClipSession,
    batch: Sequence[AskedQuestion],
    condition: Alignment | None,
    generate: bool,
) -> list[Outcome]:
    """One batch under one condition. Where the model fails on a batch, its questions are tried one by one."""
    answer = session.generate if generate else session.score
    try:
        answers = answer(batch, condition)
    except QuestionError as error:
        if len(batch) > 1:
            return [outcome for one in batch for outcome in _answer(session, [one], condition, generate)]
        return [Outcome(batch[0].question, condition, error=error, asked=batch[0], frames=session.frames)]
    return [
        Outcome(asked.question, condition, answer=one, asked=asked, frames=session.frames)
        for asked, one in zip(batch, answers, strict=True)
    ]


def _batches(asked: Sequence[AskedQuestion], size: int) -> Iterator[Sequence[AskedQuestion]]:
    return (asked[start : start + size] for start in range(0, len(asked), size))
