"""Every head selector against its definition in dense float64 attention, with biases of either sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from socialcli.alignment.attention import Alignment
from socialcli.alignment.bias import CONSTANT
from socialcli.alignment.heads.selectors import ALL, DYNAMIC, FIXED, RANDOM, TOP
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.plan import AlignmentPlan
from socialcli.alignment.steering.modes import METHOD, Steering, SteeringMode
from socialcli.alignment.steering.plans import towards_speaker
from socialcli.alignment.steering.prompt import SteeredPrompt
from socialcli.api import ask, open_clip
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.conditions import continue_under
from tests.alignment.selected import Pass, ranked, run
from tests.conftest import FAMILIES, SAMPLE, sample_episodes, tiny_model

TOLERANCE = 1e-4
LIMIT = 3
WINDOWED = "gemma-4"


def _seesaw(prompt: SteeredPrompt, _balance: float) -> AlignmentPlan:
    """The method's plan, and away from everybody who is not the speaker."""
    plan = towards_speaker(prompt)
    weights = np.where(plan.pairs, np.float32(1), np.float32(-1))
    return replace(plan, pairs=np.ones_like(plan.pairs), others=np.zeros_like(plan.others), weights=weights)


def _starved(prompt: SteeredPrompt, _balance: float) -> AlignmentPlan:
    """Words away from all that precedes the first of them: that one keeps nothing but itself."""
    plan = towards_speaker(prompt)
    columns = np.arange(plan.rows[0])
    pairs = np.ones((plan.rows.size, columns.size), dtype=np.bool_)
    return replace(plan, columns=columns, pairs=pairs, others=~pairs, weights=-pairs.astype(np.float32))


SEESAW = Steering(SteeringMode("seesaw", "to the speaker, away from the others", _seesaw))
STARVED = Steering(SteeringMode("starved", "away from all that precedes", _starved))


def questions(family: str) -> list[ClipQuestion]:
    """Four questions on one clip, whose prompts differ in length."""
    frames = 4 if family == WINDOWED else 2  # enough to leave the window
    clip = open_clip(tiny_model(family), sample_episodes()[0], SAMPLE, frames=frames)
    return [ask(clip, question) for question in (clip.episode.questions * 4)[:4]]


def logits(model: Any, asked: Sequence[ClipQuestion], alignment: Alignment) -> Tensor:
    (state,) = continue_under(model, asked, [alignment])
    return state.state.logits


def plain_means(model: Any, question: ClipQuestion, steering: Steering, layers: frozenset[int]) -> dict[Any, float]:
    plan = question.plan_under(steering)
    assert plan is not None
    one = Pass(plan, layers, 1.0, False, lambda _head, _mean: False)
    run(model, question, one)
    return one.means


def expected(model: Any, question: ClipQuestion, settings: Alignment, layers: frozenset[int]) -> tuple[Tensor, Pass]:
    """The logits, and the pass that they are from."""
    plan = question.plan_under(settings.steering)
    assert plan is not None
    alpha, constant = settings.alpha, settings.rule is CONSTANT
    named = settings.named_heads(sorted(layers), model.model.config.get_text_config().num_attention_heads)
    if named is not None:  # which these are is tested in test_selectors.py
        one = Pass(plan, layers, alpha, constant, lambda head, _mean: head in named)
        return run(model, question, one), one
    if settings.selector is DYNAMIC:
        one = Pass(plan, layers, alpha, constant, lambda _head, mean: mean > settings.threshold)
        found = run(model, question, one)
        if settings.max_heads is None or len(one.active) <= settings.max_heads:
            return found, one
        means = {head: one.means[head] for head in one.active}
    else:
        means = plain_means(model, question, settings.steering, layers)
    assert settings.max_heads is not None
    chosen = ranked(means, settings.max_heads)
    one = Pass(plan, layers, alpha, constant, lambda head, _mean: head in chosen)
    return run(model, question, one), one


def alignments(model: Any, asked: Sequence[ClipQuestion], steering: Steering) -> dict[str, Alignment]:
    """Each selector, with a lambda between the means of the first prompt's heads."""
    layers = frozenset(layers_of(model).choose("all"))
    means = sorted(plain_means(model, asked[0], steering, layers).values())
    middle = len(means) // 2
    common = Alignment(layers="all", steering=steering, threshold=(means[middle - 1] + means[middle]) / 2)
    last = max(layers)
    return {
        "dynamic": common,
        "dynamic, limited": replace(common, max_heads=LIMIT),
        "top": replace(common, selector=TOP, max_heads=LIMIT),
        "fixed": replace(common, selector=FIXED, heads=frozenset({(min(layers), 1), (last, 0), (last, 3)})),
        "random": replace(common, selector=RANDOM, max_heads=LIMIT, seed=5),
        "all": replace(common, selector=ALL),
    }


@pytest.mark.parametrize("steering", [METHOD, SEESAW], ids=["speaker", "signed"])
@pytest.mark.parametrize("family", [*FAMILIES, WINDOWED])
def test_every_selector_equals_its_definition_in_dense_attention(family: str, steering: Steering) -> None:
    model, asked = tiny_model(family), questions(family)
    counts = {}
    for name, settings in alignments(model, asked, steering).items():
        layers = frozenset(settings.layers_of(layers_of(model)))
        references = [expected(model, one, settings, layers) for one in asked]
        whole = torch.stack([found for found, _ in references])
        counts[name] = [len(one.active) for _, one in references]
        for batch in (asked[:1], asked):
            difference = (logits(model, batch, settings) - whole[: len(batch)]).abs().max()
            assert difference < TOLERANCE, (name, len(batch))
        plain = torch.cat([state.state.logits for state in continue_under(model, asked, [None])])
        assert (whole - plain).abs().max() > 10 * TOLERANCE, name
    assert set(counts["top"] + counts["dynamic, limited"] + counts["random"]) == {LIMIT}
    assert LIMIT < counts["dynamic"][0] < counts["all"][0]


@pytest.mark.parametrize("family", [*FAMILIES, WINDOWED])
def test_rows_that_lose_nearly_all_of_their_mass_are_exact(family: str) -> None:
    model, asked = tiny_model(family), questions(family)
    for selector in (ALL, RANDOM, TOP):
        settings = Alignment(
            alpha=14.0, rule=CONSTANT, layers="all", selector=selector, max_heads=LIMIT, steering=STARVED
        )
        layers = frozenset(settings.layers_of(layers_of(model)))
        references = [expected(model, one, settings, layers) for one in asked]
        assert max(one.least_kept for _, one in references) < 0.01
        whole = torch.stack([found for found, _ in references])
        for batch in (asked[:1], asked):
            assert (logits(model, batch, settings) - whole[: len(batch)]).abs().max() < TOLERANCE


def test_the_decoders_share_key_heads_and_one_has_windows() -> None:
    configs = [tiny_model(family).model.config.get_text_config() for family in (*FAMILIES, WINDOWED)]
    assert all(config.num_key_value_heads < config.num_attention_heads for config in configs)
    assert "sliding_attention" in configs[-1].layer_types
    assert min(one.encoded.length for one in questions(WINDOWED)) > configs[-1].sliding_window
