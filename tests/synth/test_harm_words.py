"""The words of a harm set's prompts do not give its answers away."""

from __future__ import annotations

from functools import cache

import pytest

from socialcli.plugins.registry import registry
from socialcli.synth.episodes import annotate, draw_plot
from socialcli.synth.settings import HARMS, SynthSettings
from socialcli.tasks.prompt import build_prompt

from .guessing import Case, by_candidates, by_words

EPISODES = 500
CHANCE = {"off-screen": 1 / 3}


@cache
def cases(kind: str) -> list[Case]:
    """The prompts of the kind's questions in `videoqa`, with their answers."""
    settings = SynthSettings(harm=(kind,))
    found = []
    for index in range(EPISODES):
        episode = annotate(draw_plot(settings, 12, index), settings, 12, [])
        for question in episode.questions:
            if question.task == "videoqa":
                prompt = build_prompt(registry().task("videoqa").item, episode, question, None)
                ids = [candidate.id for candidate in prompt.candidates]
                found.append(Case(prompt, ids.index(question.answer or "")))
    return found


@pytest.mark.parametrize("learner", [by_words, by_candidates])
@pytest.mark.parametrize("kind", HARMS[:4])
def test_words_alone_do_no_better_than_chance(kind: str, learner: object) -> None:
    assert callable(learner)
    score = learner(cases(kind))
    assert score.chance == pytest.approx(CHANCE.get(kind, 1 / 4))
    assert abs(score.errors) < 3, score
