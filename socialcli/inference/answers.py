"""(torch) Prepared questions through the model, in batches, under every condition.

Each question gets a `QuestionResult` per condition: an answer, or an error that says why there is none. A batch that
does not fit in memory is retried in halves, down to single questions.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from socialcli.alignment.attention import Alignment
from socialcli.errors import ModelError, QuestionError
from socialcli.inference.answer_modes import Answer, AnswerMode
from socialcli.inference.batching import COPIES, BatchLimit, allowed, batches, in_parts
from socialcli.inference.cache import is_padding_exact
from socialcli.inference.clip import ClipQuestion, FailedQuestion, PreparedQuestion
from socialcli.inference.conditions import continue_under, has_error
from socialcli.inference.deadline import time_limit
from socialcli.inference.prefix import empty_cache
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
    """Answer each question under those `conditions` that it is `missing`, within `timeout` seconds per question.

    Yields the results of each batch as soon as it is done, by question, each in the order of `conditions`; first those
    of the questions that failed in preparation. Batches are formed from all `questions`; those with nothing
    missing are dropped afterwards. So a question shares its batch with the same others, whatever was answered before.
    """
    failed = [one for one in questions if isinstance(one, FailedQuestion)]
    if any(_wanted(one, conditions) for one in failed):
        yield [_failures(one, one.error, conditions) for one in failed if _wanted(one, conditions)]

    def run(batch: Sequence[ClipQuestion], most: int | None = None) -> list[list[QuestionResult]]:
        started, indices = time.perf_counter(), _wanted(batch[0], conditions)
        with time_limit(adapter, timeout, len(batch)):
            at_once = allowed(batch, adapter, limit, COPIES) if most is None else most
            answers = answer_batch(adapter, batch, [conditions[index] for index in indices], mode, at_once)
        seconds = (time.perf_counter() - started) / (len(batch) * len(indices))
        return [
            [
                QuestionResult(one, index, answer, one.seconds / len(conditions) + seconds)
                for index, answer in zip(indices, by_condition, strict=True)
            ]
            for one, by_condition in zip(batch, zip(*answers, strict=True), strict=True)
        ]

    in_turn = partial(run, most=1) if any(map(has_error, conditions)) else None
    for some in _given_order_first(questions):
        for whole in batches(some, adapter, limit):
            for batch in _by_conditions(whole, conditions):
                for part, results in in_parts(batch, run, limit, in_turn):
                    yield [_failures(part[0], results, conditions)] if isinstance(results, QuestionError) else results


def answer_batch(
    adapter: Adapter,
    questions: Sequence[ClipQuestion],
    conditions: Sequence[Alignment | None],
    mode: AnswerMode,
    most: int = 1,
) -> list[list[Answer | ModelError]]:
    """For each of `conditions` the answers to `questions`, whose prefixes are equally long; an error where one fails.

    `most`: how many prompts may be in memory, where conditions can run side by side.

    A model whose next tokens would be changed by padding before them (a sliding window, linear attention) decodes
    prompts of equal length together, others one after the other. Raises PromptError, and what PyTorch raises when
    memory runs out.
    """
    answers: list[dict[int, Answer | ModelError]] = [{} for _ in conditions]
    for places in _together(adapter, questions, mode):
        batch = [questions[place] for place in places]
        for state in continue_under(adapter, batch, conditions, decoding=mode.decodes, most=most):
            with state.decoding():
                given = mode.answers(adapter, [batch[one] for one in state.prompts], state.state)
            answered = {
                places[one]: replace(answer, aligned=done) if isinstance(answer, Answer) else answer
                for one, answer, done in zip(state.prompts, given, state.alignments, strict=True)
            }
            for condition in state.conditions:
                answers[condition] |= answered
    return [[found[place] for place in range(len(questions))] for found in answers]


def _together(adapter: Adapter, questions: Sequence[ClipQuestion], mode: AnswerMode) -> Iterable[Sequence[int]]:
    """The indices of the questions that can run in one batch."""
    if not mode.decodes or is_padding_exact(empty_cache(adapter)):
        return [range(len(questions))]
    by_length: dict[int, list[int]] = {}
    for place, one in enumerate(questions):
        by_length.setdefault(one.encoded.length, []).append(place)
    return by_length.values()


def _wanted(question: PreparedQuestion, conditions: Sequence[Alignment | None]) -> tuple[int, ...]:
    """The indices of the conditions that a question is to be answered under."""
    return tuple(range(len(conditions)) if question.missing is None else sorted(question.missing))


def _given_order_first(questions: Sequence[PreparedQuestion]) -> Sequence[Sequence[ClipQuestion]]:
    """The questions in the given order of their candidates, then in all others; the two share no batch.

    So a question in the given order shares its batch with the same others as without further orders, and its scores are
    the same to the last bit.
    """
    ready = [one for one in questions if isinstance(one, ClipQuestion)]
    return [one for one in ready if not one.order.number], [one for one in ready if one.order.number]


def _by_conditions(
    batch: Sequence[ClipQuestion], conditions: Sequence[Alignment | None]
) -> Iterator[list[ClipQuestion]]:
    """The questions of a batch that are to be answered under the same conditions; nearly always all of them."""
    groups: dict[tuple[int, ...], list[ClipQuestion]] = {}
    for one in batch:
        groups.setdefault(_wanted(one, conditions), []).append(one)
    yield from (group for indices, group in groups.items() if indices)


def _failures(
    question: PreparedQuestion, error: QuestionError, conditions: Sequence[Alignment | None]
) -> list[QuestionResult]:
    """The results of a question that fails under every condition it is to be answered under."""
    share = question.seconds / len(conditions)
    return [QuestionResult(question, index, error, share) for index in _wanted(question, conditions)]
