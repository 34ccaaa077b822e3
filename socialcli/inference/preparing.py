"""(torch) An episode's questions made ready for the model: sampled, encoded, tokenized, planned.

Nothing runs through the model yet. Questions that see the same frames share one `ClipSession`. What goes wrong costs as
little as it can: a video its questions, a question itself.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError
from socialcli.inference.asked import AskedQuestion
from socialcli.inference.clip_view import AskOptions, known_until, last_moment
from socialcli.inference.session import ClipSession
from socialcli.models.contract import Adapter
from socialcli.tasks.base import Task
from socialcli.video.frames import FrameSet


@dataclass(frozen=True, slots=True, eq=False)
class FailedQuestion:
    """A question that cannot be asked, and why."""

    question: Question
    error: QuestionError
    frames: FrameSet | None  # None: the frames are what cannot be had


@dataclass(frozen=True, slots=True, eq=False)
class PreparedEpisode:
    """What is to run through the model for some questions of an episode."""

    questions: Sequence[Question]  # all of them, in the order in which they were given
    asked: Sequence[tuple[ClipSession, AskedQuestion]]
    failed: Sequence[FailedQuestion]
    seconds: float  # that it took


def prepare_episode(
    adapter: Adapter, episode: Episode, questions: Sequence[Question], tasks: Mapping[str, Task], options: AskOptions
) -> PreparedEpisode:
    """Make `questions` of an episode ready for the model, in the order of what they may see of it."""
    started = time.perf_counter()
    asked: list[tuple[ClipSession, AskedQuestion]] = []
    failed: list[FailedQuestion] = []
    ends = {question.id: last_moment(episode, question, options) for question in questions}
    by_end = sorted(questions, key=lambda question: ends[question.id])
    for end, group in groupby(by_end, key=lambda question: ends[question.id]):
        for one in _prepare_clip(adapter, known_until(episode, end), list(group), tasks, options):
            if isinstance(one, FailedQuestion):
                failed.append(one)
            else:
                asked.append(one)
    return PreparedEpisode(questions, asked, failed, time.perf_counter() - started)


def _prepare_clip(
    adapter: Adapter, episode: Episode, questions: Sequence[Question], tasks: Mapping[str, Task], options: AskOptions
) -> list[tuple[ClipSession, AskedQuestion] | FailedQuestion]:
    """Make questions ready that see the same frames."""
    try:
        session = ClipSession(adapter, episode, options)
    except QuestionError as error:
        return [FailedQuestion(question, error, None) for question in questions]
    prepared: list[tuple[ClipSession, AskedQuestion] | FailedQuestion] = []
    for question in questions:
        try:
            prepared.append((session, session.ask(question, tasks[question.task])))
        except QuestionError as error:
            prepared.append(FailedQuestion(question, error, session.frames))
    return prepared
