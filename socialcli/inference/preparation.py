"""(torch) Prepares an episode's questions for the model: sampled, encoded, tokenized, planned.

Nothing runs through the model yet. Questions that see the same frames share one `Clip`. If a video cannot be read, all
questions on it fail; any other error makes one question fail.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from types import MappingProxyType

from socialcli.alignment.steering.modes import Steering
from socialcli.episodes.records import Episode, Question
from socialcli.errors import QuestionError
from socialcli.inference.clip import Clip, FailedQuestion, PreparedQuestion
from socialcli.inference.clip_view import AskOptions, known_until, last_moment
from socialcli.models.contract import Adapter
from socialcli.tasks.base import Task
from socialcli.tasks.orders import GIVEN, CandidateOrder

_Ordered = tuple[Question, CandidateOrder]


def prepare_episode(
    adapter: Adapter,
    episode: Episode,
    questions: Sequence[Question],
    tasks: Mapping[str, Task],
    options: AskOptions,
    orders: Mapping[str, Sequence[CandidateOrder]] = MappingProxyType({}),
    steerings: Collection[Steering] = (),
) -> list[PreparedQuestion]:
    """Prepare `questions` of an episode, ordered by the time up to which they may see it, then as given.

    A question is prepared in each of its `orders`, by its id (default: the given one), one after the other. It is
    planned under each of `steerings`; under any other, when it is asked.
    """
    started = time.perf_counter()
    ends = {question.id: last_moment(episode, question, options) for question in questions}
    by_end = sorted(questions, key=lambda question: ends[question.id])
    prepared = [
        one
        for end, group in groupby(by_end, key=lambda question: ends[question.id])
        for one in _prepare_clip(adapter, episode, end, _ordered(group, orders), tasks, options, steerings)
    ]
    share = (time.perf_counter() - started) / max(len(prepared), 1)
    return [replace(one, seconds=share) for one in prepared]


def _ordered(questions: Iterable[Question], orders: Mapping[str, Sequence[CandidateOrder]]) -> Sequence[_Ordered]:
    return [(question, order) for question in questions for order in orders.get(question.id, (GIVEN,))]


def _prepare_clip(
    adapter: Adapter,
    episode: Episode,
    until: float,
    questions: Sequence[_Ordered],
    tasks: Mapping[str, Task],
    options: AskOptions,
    steerings: Collection[Steering],
) -> Iterator[PreparedQuestion]:
    """Prepare questions that see the same frames, those up to `until` seconds."""
    try:
        clip = Clip(adapter, episode, options, until=until)
    except QuestionError as error:
        yield from (
            FailedQuestion(known_until(episode, until), question, error, None, order) for question, order in questions
        )
        return
    for question, order in questions:
        try:
            asked = clip.ask(question, tasks[question.task], order)
            for steering in steerings:
                asked.plan_under(steering)
            yield asked
        except QuestionError as error:
            yield FailedQuestion(clip.episode, question, error, clip.frames, order)
