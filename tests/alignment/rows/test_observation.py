"""What an observer sees of the aligned attention, against the dense formula in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from socialcli.alignment.attention import Alignment, aligned, aligned_attention
from socialcli.alignment.attention_maps import AttentionTrace
from socialcli.alignment.bias import RULES as ALL_RULES
from socialcli.alignment.plan import AlignmentPlan, Indices
from socialcli.alignment.rows.correction import ENTRIES_AT_ONCE
from tests.alignment.dense import Case, one_head, plan_of, random_case, random_plan, scores_of
from tests.alignment.text_decoder import TextDecoder

RULES = {rule.name: rule for rule in ALL_RULES}
COLUMNS = (1, 2, 3, 5, 8)
ROWS = (10, 11, 12, 17, 23)
EVERY = np.arange(24)


class Decoder(TextDecoder):
    """A minimal model to align: a decoder of one layer."""

    def __init__(self) -> None:
        config = LlamaConfig(
            vocab_size=50,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=1,
            num_attention_heads=4,
            num_key_value_heads=2,
            attn_implementation="sdpa",
        )
        self.model = LlamaForCausalLM(config).eval()


@dataclass
class Seen:
    """What the observer got, and the layer's output."""

    output: Tensor = field(default_factory=lambda: torch.empty(0))
    before: Tensor = field(default_factory=lambda: torch.empty(0))
    after: Tensor = field(default_factory=lambda: torch.empty(0))
    active: Tensor = field(default_factory=lambda: torch.empty(0))

    def observe(self, layer: int, before: Tensor, after: Tensor, active: Tensor) -> None:
        assert layer == 0
        self.before, self.after, self.active = before, after, active


MODEL = Decoder()


def run(case: Case, plans: Sequence[AlignmentPlan], observed: Sequence[Indices] | None = None, **settings: Any) -> Seen:
    seen = Seen()
    settings = {"layers": "all", "threshold": 0.0} | settings
    with aligned(MODEL, plans, Alignment(**settings), seen.observe, observed):
        output, _ = aligned_attention(
            MODEL.layers[0], case.query, case.key, case.value, case.visible, scaling=case.scale
        )
    seen.output = output
    return seen


def attention_of(case: Case, prompt: int, plan: AlignmentPlan, alpha: float, rule: str = "published") -> Tensor:
    """The attention of the plan's rows to all keys, (Hq, R, K)."""
    cached = case.key.shape[2] - case.query.shape[2]
    scores = scores_of(case.double())[prompt]
    heads = [one_head(head, plan, cached, alpha, 0.0, rule)[0] for head in scores]
    return torch.stack(heads)[:, torch.from_numpy(plan.rows - cached)]


@pytest.mark.parametrize("rule", list(RULES))
def test_attention_to_any_tokens_is_that_of_the_formula(rule: str) -> None:
    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    for columns in (EVERY, np.array([0, 2, 4, 8, 9]), np.array([6])):
        seen = run(case, [plan], [columns], rule=RULES[rule])
        for stage, alpha in ((seen.before, 0.0), (seen.after, 1.0)):
            expected = attention_of(case, 0, plan, alpha, rule)[..., columns]
            torch.testing.assert_close(stage[0].double(), expected, rtol=0, atol=1e-6)
    assert (run(case, [plan], [EVERY]).after.sum(-1) - 1).abs().max() < 1e-5


def test_the_prompts_of_a_batch_are_observed_in_their_own_tokens() -> None:
    case = random_case(prompts=3, padding=(0, 5, 2), queries=30)
    plans = [random_plan(ROWS, COLUMNS), random_plan(range(9, 25), (1, 2, 4)).shifted(5), plan_of((9, 20), ())]
    observed = [np.arange(9), np.array([5, 6, 7, 29]), np.array([3, 12])]
    seen = run(case, plans, observed)
    for prompt, (plan, columns) in enumerate(zip(plans, observed, strict=True)):
        expected = attention_of(case, prompt, plan, 1.0)[..., columns]
        found = seen.after[prompt, :, : plan.rows.size]
        torch.testing.assert_close(found[..., : columns.size].double(), expected, rtol=0, atol=1e-6)
        assert not found[..., columns.size :].any()
    assert seen.active.any(dim=1).tolist() == [True, True, False]


@pytest.mark.parametrize("rule", list(RULES))
def test_observing_other_tokens_changes_nothing(rule: str) -> None:
    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    settings = {"rule": RULES[rule], "threshold": 0.05}
    usual, other = run(case, [plan], **settings), run(case, [plan], [EVERY], **settings)
    assert torch.equal(usual.output, other.output)
    assert torch.equal(usual.active, other.active)
    torch.testing.assert_close(usual.after, other.after[..., list(COLUMNS)])


def test_all_heads_are_observed_at_once_however_few_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    usual = run(case, [plan], heads=frozenset({(0, 2)}))
    monkeypatch.setitem(ENTRIES_AT_ONCE, "cpu", 1)
    seen = run(case, [plan], heads=frozenset({(0, 2)}))
    assert seen.active.tolist() == [[False, False, True, False]]
    assert torch.equal(seen.after, usual.after)
    assert seen.after.shape == (1, 4, 5, 5)


def test_words_are_observed_where_nobody_has_a_box() -> None:
    case, plan = random_case(), plan_of(ROWS, ())
    seen = run(case, [plan], [EVERY])
    torch.testing.assert_close(seen.after[0].double(), attention_of(case, 0, plan, 0.0), rtol=0, atol=1e-6)
    assert not seen.active.any()


def test_tokens_beyond_a_layers_window_get_no_attention() -> None:
    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    case.visible.logical_and_(torch.ones(24, 24, dtype=torch.bool).triu(-10))  # a row sees the ten keys before it
    seen = run(case, [plan], [EVERY])
    torch.testing.assert_close(seen.after[0].double(), attention_of(case, 0, plan, 1.0), rtol=0, atol=1e-6)
    assert not seen.after[0, :, -1, :13].any()


def test_a_trace_is_the_mean_over_tokens_and_heads() -> None:
    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    trace = AttentionTrace(plan, [(10, 12), (23,)], np.array([1, 4]), {(0, 0), (0, 3)})
    with aligned(MODEL, plan, Alignment(layers="all", threshold=0.0), trace.observe, [np.array([1, 4])]):
        aligned_attention(MODEL.layers[0], case.query, case.key, case.value, case.visible, scaling=case.scale)
    attention = attention_of(case, 0, plan, 1.0)[..., [1, 4]]
    expected = torch.stack([attention[[0, 3]][:, [0, 2]].mean((0, 1)), attention[[0, 3], 4].mean(0)])
    np.testing.assert_allclose(trace.means(), expected.numpy(), atol=1e-6)
