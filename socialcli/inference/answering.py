"""(torch) Prepared questions through the model, in batches, under every condition.

Each question becomes an `Outcome` per condition: an answer, or an error that says why there is none. Where a batch does
not fit into memory, it is tried again in halves, down to a question alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from socialcli.alignment.attention import Alignment
from socialcli.episodes.records import Question
from socialcli.errors import ModelError, QuestionError
from socialcli.inference.answers import Answer, answer_batch
from socialcli.inference.asked import AskedQuestion
from socialcli.inference.batching import BatchLimit, Waiting, batches, in_parts
from socialcli.inference.deadline import time_limit
from socialcli.inference.preparing import FailedQuestion, PreparedEpisode
from socialcli.models.contract import Adapter
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
    seconds: float | None = None  # of the time that it took: shared evenly with what was prepared or ran with it


def answer_episodes(
    adapter: Adapter,
    episodes: Sequence[PreparedEpisode],
    conditions: Sequence[Alignment | None],
    generate: bool,
    limit: BatchLimit,
    timeout: float | None = None,
) -> list[list[Outcome]]:
    """Put the questions of a few episodes to the model: see `answer_batches`.

    Returns the outcomes of each episode: question by question in the order they were given to `prepare_episode`, each
    in the order of `conditions`.
    """
    found = {
        id(outcomes[0].question): outcomes
        for batch in answer_batches(adapter, episodes, conditions, generate, limit, timeout)
        for outcomes in batch
    }
    return [[outcome for question in one.questions for outcome in found[id(question)]] for one in episodes]


def answer_batches(
    adapter: Adapter,
    episodes: Sequence[PreparedEpisode],
    conditions: Sequence[Alignment | None],
    generate: bool,
    limit: BatchLimit,
    timeout: float | None = None,
    wanted: Callable[[Question], Sequence[int]] | None = None,
) -> Iterator[list[list[Outcome]]]:
    """Put the questions of a few episodes to the model, together where that saves time, for `timeout` seconds each.

    Yields the outcomes of a batch as soon as there are any, by question, each in the order of `conditions`; first those
    of questions that cannot be asked. `wanted` tells, of a question, the indices of the conditions to ask it under;
    None: all. The others are left out once the batches are made: so what is asked goes through the model with the same
    questions, whatever has been answered before.
    """

    def under(question: Question) -> tuple[int, ...]:
        return tuple(range(len(conditions)) if wanted is None else wanted(question))

    def run(batch: Sequence[Waiting]) -> tuple[list[list[Answer | ModelError]], float]:
        started = time.perf_counter()
        chosen = [conditions[index] for index in under(batch[0][1].question)]
        with time_limit(adapter, timeout, len(batch)):
            prompts = [session.prompt(asked) for session, asked in batch]
            answers = answer_batch(adapter, prompts, chosen, generate)
        return answers, (time.perf_counter() - started) / len(batch)

    waiting: list[Waiting] = []
    shares: dict[int, float] = {}  # seconds that preparing a question took, under each condition; by identity
    for episode in episodes:
        share = episode.seconds / max(len(episode.questions) * len(conditions), 1)
        failed = ((one, [conditions[index] for index in under(one.question)]) for one in episode.failed)
        yield [_failed(one, chosen, share) for one, chosen in failed if chosen]
        waiting += episode.asked
        shares |= {id(asked): share for _, asked in episode.asked}
    for whole in batches(waiting, adapter, limit):
        for indices, batch in _by_conditions(whole, under):
            chosen = [conditions[index] for index in indices]
            for part, result in in_parts(batch, run, limit):
                answers, seconds = ([[result]] * len(chosen), 0.0) if isinstance(result, QuestionError) else result
                yield [
                    _outcomes(one, chosen, by_condition, shares[id(one[1])] + seconds / len(chosen))
                    for one, by_condition in zip(part, zip(*answers, strict=True), strict=True)
                ]


def _by_conditions(
    batch: Sequence[Waiting], under: Callable[[Question], tuple[int, ...]]
) -> Iterator[tuple[tuple[int, ...], list[Waiting]]]:
    """The questions of a batch by the conditions that they are asked under; nearly always the same for all of them."""
    groups: dict[tuple[int, ...], list[Waiting]] = {}
    for one in batch:
        groups.setdefault(under(one[1].question), []).append(one)
    yield from ((indices, group) for indices, group in groups.items() if indices)


def _failed(failed: FailedQuestion, conditions: Sequence[Alignment | None], seconds: float) -> list[Outcome]:
    return [
        Outcome(failed.question, condition, error=failed.error, frames=failed.frames, seconds=seconds)
        for condition in conditions
    ]


def _outcomes(
    one: Waiting, conditions: Sequence[Alignment | None], answers: Sequence[Answer | QuestionError], seconds: float
) -> list[Outcome]:
    session, asked = one
    return [
        Outcome(
            asked.question,
            condition,
            answer=answer if isinstance(answer, Answer) else None,
            error=answer if isinstance(answer, QuestionError) else None,
            asked=asked,
            frames=session.frames,
            seconds=seconds,
        )
        for condition, answer in zip(conditions, answers, strict=True)
    ]
