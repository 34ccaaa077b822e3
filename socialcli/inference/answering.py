"""(torch) Prepared questions through the model, in batches, under every condition.

Each question becomes an `Outcome` per condition: an answer, or an error that says why there is none. Where a batch does
not fit into memory, it is tried again in halves, down to a question alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from socialcli.adapters.contract import Adapter
from socialcli.alignment.attention import Alignment
from socialcli.episodes.records import Question
from socialcli.errors import ModelError, QuestionError
from socialcli.inference.answers import Answer, answer_batch
from socialcli.inference.asked import AskedQuestion
from socialcli.inference.batching import BatchLimit, Waiting, batches, in_parts
from socialcli.inference.deadline import time_limit
from socialcli.inference.preparing import PreparedEpisode
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


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of a question that was put to the model."""

    answers: Sequence[Answer | QuestionError]  # by condition
    seconds: float  # for all conditions


def answer_episodes(
    adapter: Adapter,
    episodes: Sequence[PreparedEpisode],
    conditions: Sequence[Alignment | None],
    generate: bool,
    limit: BatchLimit,
    timeout: float | None = None,
) -> list[list[Outcome]]:
    """Put the questions of a few episodes to the model, together where that saves time, for `timeout` seconds each.

    Returns the outcomes of each episode: question by question in the order they were given to `prepare_episode`, each
    in the order of `conditions`.
    """

    def run(batch: Sequence[Waiting]) -> tuple[list[list[Answer | ModelError]], float]:
        started = time.perf_counter()
        with time_limit(adapter, timeout, len(batch)):
            prompts = [session.prompt(asked) for session, asked in batch]
            answers = answer_batch(adapter, prompts, conditions, generate)
        return answers, (time.perf_counter() - started) / len(batch)

    results: dict[int, _Result] = {}  # by the identity of the asked question
    waiting = [one for episode in episodes for one in episode.asked]
    for batch in batches(waiting, adapter, limit):
        for part, result in in_parts(batch, run, limit):
            answers, seconds = ([[result]] * len(conditions), 0.0) if isinstance(result, QuestionError) else result
            for (_, asked), by_condition in zip(part, zip(*answers, strict=True), strict=True):
                results[id(asked)] = _Result(by_condition, seconds)
    return [_outcomes(episode, conditions, results) for episode in episodes]


def _outcomes(
    episode: PreparedEpisode, conditions: Sequence[Alignment | None], results: Mapping[int, _Result]
) -> list[Outcome]:
    shared = episode.seconds / max(len(episode.questions) * len(conditions), 1)
    outcomes = {
        failed.question.id: [
            Outcome(failed.question, condition, error=failed.error, frames=failed.frames, seconds=shared)
            for condition in conditions
        ]
        for failed in episode.failed
    }
    for session, asked in episode.asked:
        result = results[id(asked)]
        seconds = shared + result.seconds / len(conditions)
        outcomes[asked.question.id] = [
            Outcome(
                asked.question,
                condition,
                answer=answer if isinstance(answer, Answer) else None,
                error=answer if isinstance(answer, QuestionError) else None,
                asked=asked,
                frames=session.frames,
                seconds=seconds,
            )
            for condition, answer in zip(conditions, result.answers, strict=True)
        ]
    return [outcome for question in episode.questions for outcome in outcomes[question.id]]
