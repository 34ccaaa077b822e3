"""A limit on the time that a question takes, in reading its clip and in the model."""

from __future__ import annotations

import time

import pytest
import torch

from socialcli.api import ask, open_clip
from socialcli.errors import TimeLimitError
from socialcli.inference.answer_modes import SCORE, Answer
from socialcli.inference.answers import QuestionResult, answer_batches
from socialcli.inference.batching import BatchLimit
from socialcli.inference.clip import FailedQuestion, PreparedQuestion
from socialcli.inference.clip_view import AskOptions
from socialcli.inference.deadline import time_limit
from socialcli.inference.preparation import prepare_episode
from socialcli.plugins.registry import registry
from tests.conftest import SAMPLE, sample_episodes, tiny_model

FAMILY = "llava-next-video"


def prepared(timeout: float | None = None) -> list[PreparedQuestion]:
    episode = sample_episodes()[0]
    tasks = {name: found.item for name, found in registry().tasks().items()}
    options = AskOptions(media_root=SAMPLE, frames=2, timeout=timeout)
    return prepare_episode(tiny_model(FAMILY), episode, episode.questions, tasks, options)


def test_a_clip_that_takes_too_long_to_read() -> None:
    questions = prepared(timeout=1e-9)
    failed = [one for one in questions if isinstance(one, FailedQuestion)]
    assert len(failed) == len(questions)
    assert {type(one.error) for one in failed} == {TimeLimitError}
    assert "reading the clip takes longer than --timeout-per-question" in str(failed[0].error)


def answered(timeout: float | None = None) -> list[QuestionResult]:
    """The results of the questions one by one, in their order."""
    batches = answer_batches(tiny_model(FAMILY), prepared(timeout=60), [None], SCORE, BatchLimit(1), timeout)
    found = {result.question.question.id: result for batch in batches for (result,) in batch}
    return [found[question.id] for question in sample_episodes()[0].questions]


def test_a_slow_question_fails_and_the_others_are_answered() -> None:
    model, normal = tiny_model(FAMILY), answered()
    calls = 0

    def drag(_module: torch.nn.Module, _arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            time.sleep(3)

    layers = next(part for part in model.model.modules() if isinstance(part, torch.nn.ModuleList) and len(part) == 4)
    hook = layers[0].register_forward_pre_hook(drag)
    try:
        results = answered(2.5)
    finally:
        hook.remove()
    (error,) = [result.answer for result in results if not isinstance(result.answer, Answer)]
    assert isinstance(error, TimeLimitError)
    assert "the model takes longer than --timeout-per-question 2.5 allows" in str(error)
    for one, other in zip(normal, results, strict=True):
        assert isinstance(one.answer, Answer)
        assert other.answer is error or (isinstance(other.answer, Answer) and other.answer.scores == one.answer.scores)


def test_the_hooks_are_gone_afterwards() -> None:
    model = tiny_model(FAMILY)
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    asked = ask(clip, clip.episode.questions[0])
    before = sum(len(module._forward_pre_hooks) for module in model.model.modules())
    with pytest.raises(TimeLimitError), time_limit(model, 1e-9, 1):
        clip.score([asked])
    assert sum(len(module._forward_pre_hooks) for module in model.model.modules()) == before
    assert clip.score([asked])[0].choice is not None
