"""Which questions go through the model together, and what becomes of batches that do not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from socialcli.alignment.attention import Alignment
from socialcli.alignment.steering.modes import Steering
from socialcli.api import ask, open_clip
from socialcli.errors import ModelError, OutOfMemoryError, PromptError, QuestionError
from socialcli.inference import prefix, trunk
from socialcli.inference.answer_modes import SCORE, Answer
from socialcli.inference.answers import answer_batches
from socialcli.inference.batching import MOST, BatchLimit, batches, in_parts
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.clip_view import AskOptions
from socialcli.inference.memory import free_bytes, prompt_bytes
from socialcli.inference.prefix import Step
from socialcli.inference.preparation import prepare_episode
from socialcli.perturbation.perturbation import Perturbation
from socialcli.plugins.registry import registry
from tests.conftest import SAMPLE, sample_episodes, tiny_model

FAMILY = "qwen2.5-vl"


def prepared(*episodes: int) -> list[ClipQuestion]:
    found = []
    for index in episodes:
        clip = open_clip(tiny_model(FAMILY), sample_episodes()[index], SAMPLE)
        found += [ask(clip, question) for question in clip.episode.questions]
    return found


def ids(batch: Sequence[ClipQuestion]) -> list[str]:
    return [one.question.id for one in batch]


@pytest.mark.parametrize("size", [1, 3, 8])
def test_every_question_is_in_one_batch_of_one_prefix_length(size: int) -> None:
    questions = prepared(0, 1, 2)
    found = list(batches(questions, tiny_model(FAMILY), BatchLimit(size)))
    assert Counter(id for batch in found for id in ids(batch)) == Counter(ids(questions))
    assert max(map(len, found)) <= size
    assert all(len({one.encoded.prefix for one in batch}) == 1 for batch in found)


def test_questions_with_the_same_transcript_come_together() -> None:
    questions = [one for one in prepared(0, 1, 2) if one.question.task in ("videoqa", "mentioned")]
    first = next(iter(batches(questions, tiny_model(FAMILY), BatchLimit(8))))
    assert len(first) > 1
    assert len({one.clip for one in first}) == 1
    assert {one.question.task for one in first} == {"videoqa"}


def test_a_batch_that_does_not_fit_is_halved_and_the_limit_with_it() -> None:
    questions, limit, tried = prepared(0)[:5], BatchLimit(8), []

    def run(batch: Sequence[ClipQuestion]) -> int:
        tried.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return len(batch)

    assert [(ids(part), result) for part, result in in_parts(questions, run, limit)] == [
        (ids(questions[:2]), 2),
        (ids(questions[2:4]), 2),
        (ids(questions[4:]), 1),
    ]
    assert tried == [5, 2, 2, 1]
    assert limit.most == 2


def test_a_question_that_does_not_fit_alone_fails_with_a_reason() -> None:
    def run(batch: Sequence[ClipQuestion]) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried ...")

    for part, result in in_parts(prepared(0)[:2], run, BatchLimit(2)):
        assert len(part) == 1
        assert isinstance(result, OutOfMemoryError)
        assert "--frames" in str(result)


def test_a_question_whose_conditions_do_not_fit_side_by_side_runs_them_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    model, questions = tiny_model(FAMILY), prepared(0)[:1]
    errors = [Perturbation("box-jitter", level) for level in (0.1, 0.2, 0.3)]
    conditions = [None, Alignment(), *(Alignment(steering=Steering(perturbation=one)) for one in errors)]
    side_by_side: list[int] = []

    def run_step(adapter: Any, step: Step, cache: Any) -> Any:
        side_by_side.append(len(step.ids))
        if len(step.ids) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return prefix.run_step(adapter, step, cache)

    monkeypatch.setattr(trunk, "run_step", run_step)
    (found,) = answer_batches(model, questions, conditions, SCORE, BatchLimit())
    assert all(isinstance(result.answer, Answer) for result in found[0])
    assert max(side_by_side) > 1


def test_a_question_that_fails_a_batch_fails_alone() -> None:
    questions = prepared(0)[:3]

    def run(batch: Sequence[ClipQuestion]) -> str:
        if questions[1] in batch:
            raise PromptError("not this one")
        return "done"

    results = [result for _, result in in_parts(questions, run, BatchLimit(8))]
    assert [str(result) for result in results] == ["done", "not this one", "done"]


def test_a_bug_is_not_taken_for_a_failed_question() -> None:
    def run(batch: Sequence[ClipQuestion]) -> None:
        raise RuntimeError("shape '[2]' is invalid for input of size 3")

    with pytest.raises(RuntimeError, match="shape"):
        list(in_parts(prepared(0)[:2], run, BatchLimit(2)))


def test_as_many_as_fit_is_at_least_one_and_at_most_a_few() -> None:
    model = tiny_model(FAMILY)
    assert BatchLimit().allowed(model, 1000) == MOST
    too_long = free_bytes() // prompt_bytes(model, 1) * 2
    assert BatchLimit().allowed(model, too_long) == 1
    assert BatchLimit(5).allowed(model, too_long) == 5  # asked for is asked for


def test_scores_that_are_no_numbers_fail_their_question_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model(FAMILY)
    tasks = {name: provided.item for name, provided in registry().tasks().items()}
    episode = sample_episodes()[0]
    questions = prepare_episode(model, episode, episode.questions, tasks, AskOptions(media_root=SAMPLE))

    def spoil(_module: Any, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        spoiled = output.clone()
        if spoiled.shape[0] > 1:
            spoiled[1] = torch.nan
        return spoiled

    handle = model.model.lm_head.register_forward_hook(spoil)
    try:
        batches = list(answer_batches(model, questions, [None, Alignment()], SCORE, BatchLimit(len(episode.questions))))
    finally:
        handle.remove()
    found = {results[0].question.question.id: results for batch in batches for results in batch}
    results = [result for question in episode.questions for result in found[question.id]]
    failed = [result for result in results if not isinstance(result.answer, Answer)]
    assert all(isinstance(result.answer, ModelError) for result in failed)
    assert 0 < len({result.question.question.id for result in failed}) < len(episode.questions)
    assert [result.question.question.id for result in results] == [q.id for q in episode.questions for _ in range(2)]
    assert [result.condition for result in results] == [0, 1] * len(episode.questions)
    assert all(isinstance(result.answer, QuestionError) != isinstance(result.answer, Answer) for result in results)
