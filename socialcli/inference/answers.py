"""(torch) Prepared questions through the model, in batches, under every condition.

Each question gets a `QuestionResult` per condition: an answer, or an error that says why there is none. A batch that
does not fit in memory is retried in halves, down to single questions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from socialcli.alignment.attention import Alignment
from socialcli.errors import ModelError, QuestionError
from socialcli.inference.answer_modes import Answer, AnswerMode
from socialcli.inference.batching import BatchLimit, batches, in_parts
from socialcli.inference.clip import ClipQuestion, FailedQuestion, PreparedQuestion
from socialcli.inference.conditions import continue_under
from socialcli.inference.deadline import time_limit
from socialcli.models.contract import Adapter


@dataclass(frozen=True, slots=True, eq=False)
class QuestionResult:
    """A question's answer under one condition, or the error that prevented it."""

    question: PreparedQuestion
    condition: int  # its index
    answer: Answer | QuestionError
    seconds: float  # its share of the time: that of its episode's preparation, and that of its batch


def answer_batches(
    adapter: Adapter,
    questions: Sequence[PreparedQuestion],
    conditions: Sequence[Alignment | None],
    mode: AnswerMode,
    limit: BatchLimit,
    timeout: float | None = None,
) -> Iterator[list[list[QuestionResult]]]:
    """Answer questions under those of `conditions` that each is `missing`, for at most `timeout` seconds a question.

    Yields the results of each batch as soon as it is done, by question, each in the order of `conditions`; first those
    of the questions that failed in preparation. The batches are made of all `questions`, and only then are those left
    out that miss nothing: so a question shares its batch with the same others, whatever has been answered before.
    """
    failed = [_failed(one, conditions) for one in questions if isinstance(one, FailedQuestion)]
    if any(failed):
        yield [results for results in failed if results]

    def run(batch: Sequence[ClipQuestion]) -> tuple[list[list[Answer | ModelError]], float]:
        started = time.perf_counter()
        under = [conditions[index] for index in _wanted(batch[0], conditions)]
        with time_limit(adapter, timeout, len(batch)):
            answers = answer_batch(adapter, batch, under, mode)
        return answers, (time.perf_counter() - started) / (len(batch) * len(under))

    ready = [one for one in questions if isinstance(one, ClipQuestion)]
    for whole in batches(ready, adapter, limit):
        for indices, batch in _by_conditions(whole, conditions):
            for part, result in in_parts(batch, run, limit):
                answers, seconds = ([[result]] * len(indices), 0.0) if isinstance(result, QuestionError) else result
                yield [
                    [
                        QuestionResult(one, index, answer, one.seconds / len(conditions) + seconds)
                        for index, answer in zip(indices, of_question, strict=True)
                    ]
                    for one, of_question in zip(part, zip(*answers, strict=True), strict=True)
                ]


def answer_batch(
    adapter: Adapter, questions: Sequence[ClipQuestion], conditions: Sequence[Alignment | None], mode: AnswerMode
) -> list[list[Answer | ModelError]]:
    """For each of `conditions` the answers to `questions`, whose prefixes are equally long; an error where one fails.

    Raises PromptError, and OutOfMemoryError's causes as PyTorch raises them.
    """
    answers: list[list[Answer | ModelError]] = [[] for _ in conditions]
    for state in continue_under(adapter, questions, conditions, decoding=mode.decodes):
        found = zip(mode.answers(adapter, questions, state.state), state.alignments, strict=True)
        answers[state.condition] = [
            replace(answer, aligned=done) if isinstance(answer, Answer) else answer for answer, done in found
        ]
    return answers


def _wanted(question: PreparedQuestion, conditions: Sequence[Alignment | None]) -> tuple[int, ...]:
    """The indices of the conditions that a question is to be answered under."""
    return tuple(range(len(conditions)) if question.missing is None else sorted(question.missing))


def _by_conditions(
    batch: Sequence[ClipQuestion], conditions: Sequence[Alignment | None]
) -> Iterator[tuple[tuple[int, ...], list[ClipQuestion]]]:
    """The questions of a batch by the conditions they are to be answered under; nearly always the same for all."""
    groups: dict[tuple[int, ...], list[ClipQuestion]] = {}
    for one in batch:
        groups.setdefault(_wanted(one, conditions), []).append(one)
    yield from ((indices, group) for indices, group in groups.items() if indices)


def _failed(failed: FailedQuestion, conditions: Sequence[Alignment | None]) -> list[QuestionResult]:
    share = failed.seconds / len(conditions)
    return [QuestionResult(failed, index, failed.error, share) for index in _wanted(failed, conditions)]
