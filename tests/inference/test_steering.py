"""Steered prompts and decoding steps equal a dense softmax with the bias written out; alone and in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from socialcli.alignment.attention import Alignment
from socialcli.alignment.bias import CONSTANT, PUBLISHED, BiasRule
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.plan import AlignmentPlan
from socialcli.alignment.steering.modes import BOTH_WAYS, GAZE, GAZE_DECODING, SPEAKER, Steering, SteeringMode
from socialcli.alignment.steering.prompt import SteeredPrompt
from socialcli.api import ask, open_clip
from socialcli.errors import ModelError, UsageError
from socialcli.inference.answer_modes import SCORE, Answer
from socialcli.inference.answers import answer_batch
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.conditions import continue_under
from socialcli.inference.prefix import Continuation, next_logits
from tests.conftest import FAMILIES, SAMPLE, sample_episodes, tiny_model
from tests.eager import dense_attention

TOLERANCE = 1e-4
OTHER_KINDS = ("llama-3.2-vision", "gemma-4", "qwen3-vl", "qwen3.5")  # cross-attention, windows, grouped heads, hybrid


def all_but_a_few(prompt: SteeredPrompt, _balance: float) -> AlignmentPlan:
    """The last token away from everything before it, but for three tokens and itself."""
    columns = np.setdiff1d(np.arange(prompt.last), [0, 5, prompt.last - 1])
    pairs = np.ones((1, columns.size), dtype=np.bool_)
    return AlignmentPlan(
        rows=np.array([prompt.last]),
        columns=columns,
        pairs=pairs,
        others=~pairs,
        weights=-np.ones(pairs.shape, dtype=np.float32),
    )


AWAY = SteeringMode("away", "away from nearly everything", all_but_a_few)

STEERED = {
    "speaker": Alignment(steering=Steering(SPEAKER)),
    "both-ways-0.3": Alignment(steering=Steering(BOTH_WAYS, 0.3)),
    "both-ways-1": Alignment(steering=Steering(BOTH_WAYS, 1.0), alpha=3.0, rule=CONSTANT),
    "gaze": Alignment(steering=Steering(GAZE), alpha=9.0, rule=CONSTANT, threshold=0.0),
    "gaze-published": Alignment(steering=Steering(GAZE), alpha=2.0, rule=PUBLISHED, threshold=0.0),
}


def short_clip(model: Any) -> list[ClipQuestion]:
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    return [ask(clip, question) for question in clip.episode.questions]


def dense_logits(model: Any, asked: Sequence[ClipQuestion], alignment: Alignment) -> torch.Tensor:
    """The next token's logits of whole prompts, each alone, under the formula written out."""
    layers = alignment.layers_of(layers_of(model))
    found = []
    for one in asked:
        plan = one.plan_under(alignment.steering)
        with (
            torch.inference_mode(),
            dense_attention(model, [plan], layers, alignment.alpha, alignment.threshold, alignment.rule.name),
        ):
            output = model.model(**model.forward_inputs([one.encoded], one.clip.clip), logits_to_keep=1)
        found.append(output.logits[0, -1].float())
    return torch.stack(found)


def logits(model: Any, asked: Sequence[ClipQuestion], alignment: Alignment | None, batch: int) -> torch.Tensor:
    parts = [asked[start : start + batch] for start in range(0, len(asked), batch)]
    with torch.inference_mode():
        return torch.cat([state.state.logits for part in parts for state in continue_under(model, part, [alignment])])


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).abs().max())


@pytest.mark.parametrize(
    ("family", "name"), [*product(FAMILIES, STEERED), *product(OTHER_KINDS, ("both-ways-0.3", "gaze"))]
)
def test_steered_prompts_equal_the_dense_formula(family: str, name: str) -> None:
    model, alignment = tiny_model(family), STEERED[name]
    asked = short_clip(model)
    expected = dense_logits(model, asked, alignment)
    for batch in (1, 4):
        assert difference(logits(model, asked, alignment, batch), expected) < TOLERANCE
    assert difference(logits(model, asked, None, 4), expected) > 10 * TOLERANCE


@pytest.mark.parametrize("batch", [1, 4])
def test_rows_that_lose_over_99_percent_of_their_mass_are_exact(model: Any, batch: int) -> None:
    alignment = Alignment(steering=Steering(AWAY), alpha=25.0, rule=CONSTANT, threshold=0.0, layers="all")
    asked = short_clip(model)
    with torch.inference_mode(), dense_attention(model, [], [], 1.0, 0.0):
        output = model.model(**model.forward_inputs([asked[0].encoded], asked[0].clip.clip), output_attentions=True)
    plan = asked[0].plan_under(alignment.steering)
    assert plan is not None
    lost = [float(layer[0, :, plan.rows[0], plan.columns].sum(-1).max()) for layer in output.attentions]
    assert max(lost) > 0.99
    expected = dense_logits(model, asked, alignment)
    assert difference(logits(model, asked, alignment, batch), expected) < TOLERANCE
    assert difference(logits(model, asked, None, batch), expected) > 10 * TOLERANCE


def test_no_weight_for_the_others_is_the_method_bit_for_bit(model: Any) -> None:
    asked = short_clip(model)
    none = Alignment(steering=Steering(BOTH_WAYS, 0.0))
    assert torch.equal(logits(model, asked, none, 4), logits(model, asked, Alignment(), 4))


def test_a_mode_with_a_path_of_its_own_changes_no_bit_of_the_other_conditions(model: Any) -> None:
    asked = short_clip(model)
    usual = answer_batch(model, asked, [None, Alignment()], SCORE)
    beside = answer_batch(model, asked, [None, STEERED["gaze"], Alignment(), STEERED["both-ways-1"]], SCORE)
    assert [beside[0], beside[2]] == usual


class Steps:
    """An answer mode that feeds the same tokens to every prompt, and keeps the logits of every step."""

    name, summary, decodes = "steps", "feed fixed tokens", True
    fed = (7, 11, 5)

    def __init__(self) -> None:
        self.logits: dict[ClipQuestion, torch.Tensor] = {}  # (steps, vocabulary)

    def answers(
        self, adapter: Any, questions: Sequence[ClipQuestion], state: Continuation
    ) -> list[Answer | ModelError]:
        logits = [state.logits]
        for number, token in enumerate(self.fed, start=1):
            state = next_logits(adapter, state, torch.full((len(questions),), token), number)
            logits.append(state.logits)
        self.logits |= zip(questions, torch.stack(logits, dim=1), strict=True)
        return [Answer(0) for _ in questions]


def decoded(model: Any, asked: Sequence[ClipQuestion], alignment: Alignment | None) -> torch.Tensor:
    """The logits behind the prompt and behind each fed token, (prompts, steps, vocabulary)."""
    steps = Steps()
    answer_batch(model, asked, [alignment], steps)
    return torch.stack([steps.logits[one] for one in asked])


def dense_decoded(model: Any, one: ClipQuestion, alignment: Alignment) -> torch.Tensor:
    """The same for a prompt, from one dense forward over prompt and tokens; the rows are the last and each fed one."""
    plan = one.plan_under(alignment.steering)
    assert plan is not None
    length, count = one.encoded.length, len(Steps.fed)
    whole = replace(one.encoded, ids=np.concatenate([one.encoded.ids, Steps.fed]))
    rows = np.arange(length - 1, length + count)
    steered = replace(
        plan,
        rows=rows,
        pairs=np.repeat(plan.pairs, rows.size, axis=0),
        weights=None if plan.weights is None else np.repeat(plan.weights, rows.size, axis=0),
        tested=rows == length - 1,  # the heads are those of the last prompt token
    )
    layers = alignment.layers_of(layers_of(model))
    settings = layers, alignment.alpha, alignment.threshold, alignment.rule.name
    with torch.inference_mode(), dense_attention(model, [steered], *settings):
        output = model.model(**model.forward_inputs([whole], one.clip.clip), logits_to_keep=count + 1)
    found: torch.Tensor = output.logits[0].float()
    return found


@pytest.mark.parametrize(
    ("family", "rule"),
    [*product(FAMILIES, (CONSTANT, PUBLISHED)), *product(OTHER_KINDS, (CONSTANT,))],
    ids=lambda value: getattr(value, "name", value),
)
def test_decoding_steps_are_steered_as_the_last_prompt_token(family: str, rule: BiasRule) -> None:
    model = tiny_model(family)
    alignment = Alignment(steering=Steering(GAZE_DECODING), alpha=6.0, rule=rule, threshold=0.0, layers="all")
    asked = [one for one in short_clip(model) if one.region_in_question.size]  # others are not steered
    assert len({one.encoded.length for one in asked}) > 1
    expected = torch.stack([dense_decoded(model, one, alignment) for one in asked])
    assert difference(decoded(model, asked, alignment), expected) < TOLERANCE
    assert difference(torch.cat([decoded(model, [one], alignment) for one in asked]), expected) < TOLERANCE
    prompt_only = decoded(model, asked, replace(alignment, steering=Steering(GAZE)))
    assert torch.equal(prompt_only[:, 0], decoded(model, asked, alignment)[:, 0])
    assert difference(prompt_only[:, 1:], expected[:, 1:]) > 10 * TOLERANCE


def test_modes_that_differ_in_decoding_steps_alone_run_apart(model: Any) -> None:
    asked = short_clip(model)
    prompt_only = Alignment(steering=Steering(GAZE), alpha=6.0, rule=CONSTANT, threshold=0.0, layers="all")
    both = [prompt_only, replace(prompt_only, steering=Steering(GAZE_DECODING))]
    together = list(continue_under(model, asked, both, decoding=True))
    assert sorted(list(one.conditions) for one in together) == [[0], [1]]
    assert [list(one.conditions) for one in continue_under(model, asked, both)] == [[0, 1]]


def test_scores_do_not_depend_on_decoding_steps(model: Any) -> None:
    asked = short_clip(model)
    gaze = STEERED["gaze"]
    both = answer_batch(model, asked, [gaze, replace(gaze, steering=Steering(GAZE_DECODING))], SCORE)
    assert both[0] == both[1]


def test_a_mode_with_several_rows_cannot_steer_decoding_steps(model: Any) -> None:
    several = replace(SPEAKER, name="several", decoding=True)
    with pytest.raises(UsageError, match=r"--steer several: .* must have one row"):
        decoded(model, short_clip(model), Alignment(steering=Steering(several)))
