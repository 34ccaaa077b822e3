"""Biases that take attention away, down to a thousandth of a row and less, against dense float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from socialcli.alignment.attention import Alignment, aligned, aligned_attention
from socialcli.alignment.bias import RULES as ALL_RULES
from socialcli.alignment.hooks import attention_kernel
from socialcli.alignment.method import RowMix
from socialcli.alignment.rows import correction, recomputed
from socialcli.alignment.rows.correction import ENTRIES_AT_ONCE
from socialcli.alignment.rules import BiasRule, VisualScores
from tests.alignment.dense import Case, dense, one_head, random_case, random_plan, scores_of, shifted
from tests.alignment.rows.test_observation import EVERY, attention_of
from tests.alignment.rows.test_observation import run as run_observed
from tests.alignment.test_attention import COLUMNS, ROWS, gradients, largest, plain, run
from tests.alignment.test_attention import decoder as decoder_of

RULES = {rule.name: rule for rule in ALL_RULES}


def staring(by: float, **shape: Any) -> Case:
    """Words that attend to one of the visual tokens and hardly to anything else, all scores shifted by `by`."""
    case = random_case(**shape)
    query, key = case.query.clone(), case.key.clone()
    query[..., 0] = 12.0
    key[..., 0] = 0.0
    key[:, :, COLUMNS[1], 0] = 6.0
    return shifted(Case(query, key, case.value, case.visible, case.scale), by)


def kept(case: Case, plan: Any, rule: str, alpha: float = 1.0) -> Tensor:
    """The share of each row's mass that is left before it is normalised again, (Hq, R)."""
    scores = scores_of(case.double())[0]
    after = torch.stack([one_head(head, plan, 0, alpha, 0.0, rule)[0] for head in scores])
    others = [key for key in range(scores.shape[-1]) if key not in plan.columns]
    factor = scores.softmax(-1)[..., others].sum(-1) / after[..., others].sum(-1)
    return factor[:, list(ROWS)]


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("by", [-1.0, -6.0, -40.0, 5.0])
@pytest.mark.parametrize("masked", [False, True])
def test_a_shift_of_all_scores_is_followed_exactly(rule: str, by: float, masked: bool) -> None:
    case, plan = shifted(random_case(), by), random_plan(ROWS, COLUMNS)
    output, report = run(case, [plan], masked, rule=RULES[rule])
    assert largest(output - dense(case, [plan], rule=rule)[0]) < 1e-5
    (share,) = report.negative_share()
    assert share is not None
    assert share > 0.3 if rule == "published" and by < 0 else share == 0


@pytest.mark.parametrize("alpha", [0.75, 1.0, 3.0])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_rows_that_lose_nearly_all_of_their_mass_are_exact(alpha: float, groups: int) -> None:
    case, plan = staring(-38.0, groups=groups), random_plan(ROWS, COLUMNS, seed=2)
    left = kept(case, plan, "published", alpha)
    assert (left < 1e-3).float().mean() > 0.3  # these lose more than 99.9 %
    output, _ = run(case, [plan], alpha=alpha)
    assert largest(output - dense(case, [plan], alpha)[0]) < 1e-4


def test_without_recomputing_them_these_rows_would_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    case, plan = staring(-38.0), random_plan(ROWS, COLUMNS, seed=2)
    expected, _ = dense(case, [plan], 3.0)
    assert largest(run(case, [plan], alpha=3.0)[0] - expected) < 1e-4
    row_mix = correction.row_mix

    def never_cancelling(*arguments: Any) -> RowMix:
        mix = row_mix(*arguments)
        return RowMix(mix.kept, mix.added, torch.zeros_like(mix.cancelling))

    monkeypatch.setattr(correction, "row_mix", never_cancelling)
    assert largest(run(case, [plan], alpha=3.0)[0] - expected) > 1e-2


@pytest.mark.parametrize("entries", [1, 2**19])
@pytest.mark.parametrize("at_once", [1, 100, 2**22])
@pytest.mark.parametrize("queries", [30, 12])
def test_losing_rows_of_a_batch_keep_their_own_plans_masks_and_caches(
    entries: int, at_once: int, queries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENTRIES_AT_ONCE, "cpu", entries)
    monkeypatch.setattr(recomputed, "SCORES_AT_ONCE", at_once)
    cached = 30 - queries
    case = staring(-38.0, prompts=3, queries=queries, cached=cached, padding=(0, 2, 0))
    plans = [random_plan((19, 22, 29), COLUMNS), random_plan((20, 21, 28), (2, 4, 8)), random_plan((25,), COLUMNS)]
    output, report = run(case, plans)
    assert largest(output - dense(case, plans)[0]) < 1e-4
    assert min(share for share in report.negative_share() if share is not None) > 0.3


def test_losing_rows_beside_heads_that_are_not_active_and_columns_that_are_not_seen() -> None:
    case, plan = staring(-38.0), random_plan(ROWS, COLUMNS)
    visible = case.visible.repeat(1, 4, 1, 1)
    visible[:, 1].logical_and_(torch.ones(24, 24, dtype=torch.bool).triu(-10))
    case = Case(case.query, case.key, case.value, visible, case.scale)
    output, _ = run(case, [plan], heads=frozenset({(0, 1), (0, 2)}))
    expected, _ = dense(case, [plan])
    assert largest(output[:, [1, 2]] - expected[:, [1, 2]]) < 1e-4
    assert torch.equal(output[:, [0, 3]], plain(case)[:, [0, 3]])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_in_half_precision_the_error_stays_about_that_of_the_plain_kernel(dtype: torch.dtype) -> None:
    case, plan = staring(-38.0, queries=64, width=32), random_plan(range(20, 64), COLUMNS)
    case = Case(case.query.to(dtype), case.key.to(dtype), case.value.to(dtype), case.visible, case.scale)
    output, _ = run(case, [plan])
    own_error = largest(plain(case).double() - dense(case, [random_plan((), ())])[0])
    assert output.isfinite().all()
    assert largest(output.double() - dense(case, [plan])[0]) < max(4 * own_error, 1e-2)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_rule_may_raise_some_pairs_of_a_row_and_lower_others(sign: float) -> None:
    def tilted(visual: VisualScores, alpha: float) -> Tensor:
        return alpha * sign * torch.linspace(-9, 6, visual.scores.shape[-1]).to(visual.scores).expand_as(visual.scores)

    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    output, report = run(case, [plan], rule=BiasRule("tilted", "", tilted))
    scores = scores_of(case.double())
    bias = sign * torch.linspace(-9, 6, len(COLUMNS)).double() * torch.from_numpy(plan.pairs)
    scores[:, :, torch.tensor(ROWS)[:, None], torch.tensor(COLUMNS)] += bias
    expected = scores.softmax(-1) @ case.value.double().repeat_interleave(2, dim=1)
    assert largest(output - expected) < 1e-5
    lowered = (bias < 0).any(-1) & torch.from_numpy(plan.pairs).any(-1)
    assert report.negative_share() == [float(lowered.sum() / plan.pairs.any(-1).sum())]


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_through_recomputed_rows_equal_those_of_the_formula(checkpointing: bool) -> None:
    case, plans = staring(-38.0, prompts=2).double(), [random_plan(ROWS, COLUMNS), random_plan((12, 20), COLUMNS)]
    model = decoder_of(2)

    def layer(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        output, _ = aligned_attention(model.layers[0], query, key, value, case.visible, scaling=case.scale)
        return output.transpose(1, 2)

    def product(case: Case) -> Tensor:
        parts = (case.query, case.key, case.value)
        result: Tensor = checkpoint(layer, *parts, use_reentrant=False) if checkpointing else layer(*parts)
        return result

    with aligned(model, plans, Alignment(layers="all", threshold=0.0)):
        output, found = gradients(case, product)
    reference, expected = gradients(case, lambda case: dense(case, plans)[0])
    torch.testing.assert_close(output, reference, rtol=0, atol=1e-9)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-8)


def test_the_attention_of_losing_rows_is_observed_exactly() -> None:
    case, plan = staring(-38.0), random_plan(ROWS, COLUMNS)
    for columns in (EVERY, np.array([0, 2, 4, 8, 9])):
        seen = run_observed(case, [plan], [columns])
        for stage, alpha in ((seen.before, 0.0), (seen.after, 1.0)):
            expected = attention_of(case, 0, plan, alpha)[..., columns]
            torch.testing.assert_close(stage[0].double(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kernel", ["flash", "math", "eager", "learning"])
@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("masked", [False, True])
def test_every_kernel_with_and_without_a_log_sum_exp_gives_the_same(kernel: str, rule: str, masked: bool) -> None:
    case, plan, model = staring(-38.0), random_plan(ROWS, COLUMNS), decoder_of(2)
    case.query.requires_grad_(kernel == "learning")
    chosen = kernel if kernel != "learning" else "auto"
    with attention_kernel(model, chosen), aligned(model, plan, Alignment(layers="all", threshold=0, rule=RULES[rule])):
        output, _ = aligned_attention(
            model.layers[0], case.query, case.key, case.value, case.visible if masked else None, scaling=case.scale
        )
    assert largest(output.transpose(1, 2) - dense(case, [plan], rule=rule)[0]) < 1e-4
