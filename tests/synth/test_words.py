"""The words of a prompt do not give its answer away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import pytest

from socialcli.plugins.registry import registry
from socialcli.synth.episodes import annotate, draw_plot
from socialcli.synth.settings import SynthSettings
from socialcli.tasks.prompt import build_prompt

from .guessing import Case, Score, by_candidates, by_words

EPISODES = 900
TASKS = ("videoqa", "target", "coref", "mentioned")
LEARNERS = (by_words, by_candidates)

Learner = Callable[[Sequence[Case]], Score]


@cache
def prompts(turns: int) -> dict[str, list[Case]]:
    """The prompts of all questions by task, with their answers; an episode stands in one half of a list alone."""
    settings = SynthSettings(turns=turns)
    found: dict[str, list[Case]] = {task: [] for task in TASKS}
    for index in range(EPISODES // turns):
        episode = annotate(draw_plot(settings, 11, index), settings, 11, [])
        for question in episode.questions:
            prompt = build_prompt(registry().task(question.task).item, episode, question, None)
            ids = [candidate.id for candidate in prompt.candidates]
            found[question.task].append(Case(prompt, ids.index(question.answer or "")))
    return found


def cases(task: str, turns: int = 1) -> list[Case]:
    return prompts(turns)[task]


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("task", TASKS)
def test_words_alone_do_no_better_than_chance(task: str, learner: Learner) -> None:
    score = learner(cases(task))
    assert score.chance == pytest.approx(1 / 4 if task == "videoqa" else 1 / 3)
    assert abs(score.errors) < 3, score


@pytest.mark.parametrize("task", ("target", "coref"))
def test_nor_where_everybody_speaks_twice(task: str) -> None:
    score = by_candidates(cases(task, turns=2))
    assert abs(score.errors) < 3, score


def test_a_leak_in_the_words_would_be_seen() -> None:
    leaky = [Case(case.prompt, "book" in case.prompt.text) for case in cases("target")]
    assert by_words(leaky).errors > 5


def test_a_leak_in_the_order_of_turns_would_be_seen() -> None:
    def next_speaker(case: Case) -> int:
        """The first candidate who speaks after the one in question, or at last the first of all."""
        text = case.prompt.text
        lines = [text[slice(*span)].partition(": ")[0] for span in case.prompt.spans]
        labels = [candidate.label for candidate in case.prompt.candidates]
        (asker,) = set(lines) - set(labels)
        after = lines[lines.index(asker) + 1 :] + lines
        return labels.index(after[0])

    leaky = [Case(case.prompt, next_speaker(case)) for case in cases("coref")]
    assert by_candidates(leaky).errors > 5
