"""Questions are planned where they are prepared, and one that cannot be planned fails alone."""

from __future__ import annotations

import pytest

from socialcli.alignment.steering.modes import BOTH_WAYS, Steering
from socialcli.errors import AnnotationError
from socialcli.inference.clip import Clip, ClipQuestion, FailedQuestion
from socialcli.inference.clip_view import AskOptions
from socialcli.inference.preparation import prepare_episode
from socialcli.plugins.registry import registry
from tests.conftest import SAMPLE, sample_episodes, tiny_model

STEERING = Steering(BOTH_WAYS, 0.3)


def prepared() -> list[ClipQuestion | FailedQuestion]:
    episode = sample_episodes()[0]
    tasks = {name: found.item for name, found in registry().tasks().items()}
    options = AskOptions(media_root=SAMPLE, frames=2)
    return prepare_episode(
        tiny_model("llava-next-video"), episode, episode.questions, tasks, options, steerings=[STEERING]
    )


def test_questions_come_with_the_plans_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    questions = prepared()
    monkeypatch.delattr(Clip, "plan")  # no plan can be made any more
    assert questions
    for one in questions:
        assert isinstance(one, ClipQuestion)
        plan = one.plan_under(STEERING)
        assert plan is not None
        assert plan.weights is not None


def test_a_question_that_cannot_be_planned_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made, broken = Clip.plan, sample_episodes()[0].questions[1].id

    def plan(clip: Clip, asked: ClipQuestion, steering: Steering) -> object:
        if steering == STEERING and asked.question.id == broken:
            raise AnnotationError("no plan")
        return made(clip, asked, steering)

    monkeypatch.setattr(Clip, "plan", plan)
    failed = [one.question.id for one in prepared() if isinstance(one, FailedQuestion)]
    assert failed == [broken]
