"""The aligned attention on small random tensors, against the dense formula in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint
from transformers import LlamaConfig, LlamaForCausalLM

from socialcli.alignment.attention import Alignment, AlignmentReport, aligned, aligned_attention
from socialcli.alignment.bias import RULES as ALL_RULES
from socialcli.alignment.hooks import state_of
from socialcli.alignment.method import mean_attention
from socialcli.alignment.plan import AlignmentPlan
from socialcli.alignment.rows.correction import ENTRIES_AT_ONCE
from socialcli.errors import UsageError
from tests.alignment.dense import Case, dense, plan_of, random_case, random_plan
from tests.alignment.text_decoder import TextDecoder

RULES = {rule.name: rule for rule in ALL_RULES}
COLUMNS = (1, 2, 3, 5, 8)
ROWS = (10, 11, 12, 17, 23)


class Decoder(TextDecoder):
    """A minimal model to align: a small text model of the transformers library."""

    def __init__(self, groups: int = 2, layers: int = 1) -> None:
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=50,
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=4 // groups,
            attn_implementation="sdpa",
        )
        self.model = LlamaForCausalLM(config).eval()


@cache
def decoder(groups: int) -> Decoder:
    return Decoder(groups)


def run(
    case: Case, plans: Sequence[AlignmentPlan], masked: bool = True, **settings: Any
) -> tuple[Tensor, AlignmentReport]:
    """The product's output (B, Hq, Q, D) and report for one layer."""
    settings = {"layers": "all", "threshold": 0.0} | settings
    model = decoder(case.query.shape[1] // case.key.shape[1])
    mask = case.visible if masked else None
    with aligned(model, plans, Alignment(**settings)) as report:
        state_of(model.layers[0]).plans.begin(case.key.shape[2] - case.query.shape[2])
        output, _ = aligned_attention(model.layers[0], case.query, case.key, case.value, mask, scaling=case.scale)
    return output.transpose(1, 2), report


def plain(case: Case) -> Tensor:
    """The model's own attention, by PyTorch."""
    groups = case.query.shape[1] // case.key.shape[1]
    key, value = (part.repeat_interleave(groups, dim=1) for part in (case.key, case.value))
    return scaled_dot_product_attention(case.query, key, value, attn_mask=case.visible, scale=case.scale)


def largest(difference: Tensor) -> float:
    return float(difference.detach().abs().max())


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("masked", [False, True])
def test_output_and_active_heads_equal_the_formula(rule: str, groups: int, masked: bool) -> None:
    case, plan = random_case(groups=groups), random_plan(ROWS, COLUMNS)
    output, report = run(case, [plan], masked, rule=RULES[rule])
    expected, active = dense(case, [plan], rule=rule)
    assert largest(output - expected) < 1e-5
    assert largest(output - plain(case)) > 0.05
    assert torch.equal(report.layers[0].active, active)


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("alpha", [0.25, 2.0])
def test_strength_is_that_of_the_formula(rule: str, alpha: float) -> None:
    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    output, _ = run(case, [plan], rule=RULES[rule], alpha=alpha)
    assert largest(output - dense(case, [plan], alpha, rule=rule)[0]) < 1e-5


@pytest.mark.parametrize("rule", list(RULES))
def test_prompts_of_a_batch_keep_their_own_plans_padding_and_heads(rule: str) -> None:
    case = random_case(prompts=4, padding=(0, 5, 2, 0), queries=30)
    plans = [
        random_plan(ROWS, COLUMNS),
        random_plan(range(9, 25), (1, 2, 4)).shifted(5),
        plan_of((9,), (4,)),
        plan_of((), ()),
    ]
    threshold = 0.07
    output, report = run(case, plans, rule=RULES[rule], threshold=threshold)
    expected, active = dense(case, plans, threshold=threshold, rule=rule)
    assert largest(output - expected) < 1e-5
    assert torch.equal(report.layers[0].active, active)
    assert active[:3].any()
    assert not active[:3].all()
    assert report.active_share() == [float(heads.float().mean()) for heads in active]
    assert largest(output[3] - plain(case)[3]) == 0.0


@pytest.mark.parametrize("rule", list(RULES))
def test_rows_behind_a_cache_are_found_by_their_place_among_the_keys(rule: str) -> None:
    case = random_case(prompts=2, cached=20, queries=12)
    plans = [random_plan((21, 24, 30), COLUMNS), random_plan((20, 31), (0, 19))]
    output, report = run(case, plans, rule=RULES[rule])
    expected, active = dense(case, plans, rule=rule)
    assert largest(output - expected) < 1e-5
    assert torch.equal(report.layers[0].active, active)


@pytest.mark.parametrize("rule", list(RULES))
def test_rows_that_are_in_the_cache_already_stay_as_they_are(rule: str) -> None:
    case = random_case(cached=20, queries=12)
    plan = random_plan((15, 18, 22, 25), COLUMNS)
    output, _ = run(case, [plan], rule=RULES[rule])
    assert largest(output - dense(case, [plan], rule=rule)[0]) < 1e-5
    unchanged = [place for place in range(12) if place not in (2, 5)]
    assert torch.equal(output[:, :, unchanged], plain(case)[:, :, unchanged])


@pytest.mark.parametrize("rule", list(RULES))
def test_columns_that_a_layer_with_a_window_does_not_see_get_nothing(rule: str) -> None:
    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    case.visible.logical_and_(torch.ones(24, 24, dtype=torch.bool).triu(-10))  # a row sees the ten keys before it
    output, report = run(case, [plan], rule=RULES[rule])
    expected, active = dense(case, [plan], rule=rule)
    assert largest(output - expected) < 1e-5
    assert torch.equal(report.layers[0].active, active)
    assert torch.equal(output[:, :, 23], plain(case)[:, :, 23])  # its window holds no column at all


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_error_is_about_that_of_the_plain_kernel(rule: str, dtype: torch.dtype) -> None:
    case = random_case(prompts=2, queries=64, width=32, dtype=dtype)
    plans = [random_plan(range(20, 64), range(2, 18), seed) for seed in (0, 1)]
    output, _ = run(case, plans, rule=RULES[rule])
    assert output.dtype == dtype
    error = largest(output.double() - dense(case, plans, rule=rule)[0])
    own_error = largest(plain(case).double() - dense(case, [plan_of((), ())] * 2)[0])
    assert error < 4 * own_error


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("rows", [(40,), tuple(range(12, 62)), tuple(range(10, 64))], ids=["1", "50", "all"])
def test_any_number_of_rows_can_be_raised(rule: str, rows: tuple[int, ...]) -> None:
    case, plan = random_case(queries=64), random_plan(rows, COLUMNS)
    output, _ = run(case, [plan], rule=RULES[rule])
    assert largest(output - dense(case, [plan], rule=rule)[0]) < 1e-5
    others = [row for row in range(64) if row not in rows]
    assert torch.equal(output[:, :, others], plain(case)[:, :, others])


@pytest.mark.parametrize("alpha", [1.0, 10.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_bias_of_eighty_or_eight_hundred_neither_overflows_nor_blurs(alpha: float, dtype: torch.dtype) -> None:
    case, plan = random_case(spread=22.0), random_plan(ROWS, COLUMNS)
    case = Case(case.query.to(dtype), case.key.to(dtype), case.value.to(dtype), case.visible, case.scale)
    best = (case.query.float() @ case.key.repeat_interleave(2, dim=1).float().transpose(-1, -2) * case.scale).max()
    assert best > 80
    output, _ = run(case, [plan], alpha=alpha)
    assert output.isfinite().all()
    own_error = largest(plain(case).double() - dense(case, [plan_of((), ())])[0])
    assert largest(output.double() - dense(case, [plan], alpha)[0]) < max(8 * own_error, 1e-4)


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize(
    ("rows", "columns"), [((), ()), ((), COLUMNS), (ROWS, ())], ids=["nothing", "no words", "no boxes"]
)
def test_a_plan_without_rows_or_columns_changes_nothing(
    rule: str, rows: tuple[int, ...], columns: tuple[int, ...]
) -> None:
    case = random_case()
    output, report = run(case, [plan_of(rows, columns)], rule=RULES[rule])
    assert torch.equal(output, plain(case))
    assert report.layers == {}
    assert report.active_share() == []


@pytest.mark.parametrize("rule", list(RULES))
def test_a_speaker_without_boxes_keeps_every_word_as_it_is(rule: str) -> None:
    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    plan.pairs[[0, 3]] = False
    output, _ = run(case, [plan], rule=RULES[rule])
    assert largest(output - dense(case, [plan], rule=rule)[0]) < 1e-5
    assert torch.equal(output[:, :, [ROWS[0], ROWS[3]]], plain(case)[:, :, [ROWS[0], ROWS[3]]])
    plan.pairs[:] = False
    output, report = run(case, [plan], rule=RULES[rule])
    assert torch.equal(output, plain(case))
    assert not report.layers[0].active.any()  # whatever its mean attention: there is nothing to bias


@pytest.mark.parametrize("rule", list(RULES))
def test_one_speaker_alone_is_raised_towards_all_columns(rule: str) -> None:
    case, plan = random_case(), plan_of(ROWS, COLUMNS)
    output, _ = run(case, [plan], rule=RULES[rule])
    assert largest(output - dense(case, [plan], rule=rule)[0]) < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("rule", list(RULES))
def test_above_every_attention_no_head_is_active_and_the_output_is_pytorchs_own(rule: str, dtype: torch.dtype) -> None:
    case = random_case(prompts=2, padding=(0, 3), dtype=dtype)
    output, report = run(case, [random_plan(ROWS, COLUMNS)] * 2, threshold=1.0, rule=RULES[rule])
    assert torch.equal(output, plain(case))
    assert report.active_share() == [0.0, 0.0]


def test_at_no_threshold_every_head_is_active() -> None:
    case = random_case(prompts=2)
    _, report = run(case, [random_plan(ROWS, COLUMNS)] * 2, threshold=0.0)
    assert report.layers[0].active.shape == (2, 4)
    assert report.active_share() == [1.0, 1.0]


def test_no_strength_is_no_change_at_all() -> None:
    case = random_case(dtype=torch.bfloat16)
    for rule in RULES.values():
        output, report = run(case, [random_plan(ROWS, COLUMNS)], alpha=0.0, rule=rule)
        assert torch.equal(output, plain(case))
        assert report.active_share() == [1.0]


def test_a_head_is_active_when_its_mean_attention_is_above_the_threshold() -> None:
    attention = torch.tensor([[[[0.2, 0.4], [0.0, 0.2]], [[0.1, 0.1], [0.1, 0.1]]]])
    four, two, none = (torch.tensor([[count]]) for count in (4, 2, 0))
    assert (mean_attention(attention, four) > 0.15).tolist() == [[True, False]]
    assert (mean_attention(attention, four) > 0.2).tolist() == [[False, False]]  # the mean itself is not above it
    assert (mean_attention(attention[:, :, :1], two) > 0.25).tolist() == [[True, False]]  # 0.3 over the one row
    assert (mean_attention(torch.zeros(1, 2, 2, 2), none) > 0.0).tolist() == [[False, False]]


def test_a_decoding_step_is_the_models_own() -> None:
    case = random_case(cached=30, queries=1)
    for masked in (True, False):
        output, report = run(case, [random_plan(ROWS, COLUMNS)], masked)
        torch.testing.assert_close(output, plain(case))
        assert report.layers == {}


@pytest.mark.parametrize("gradient", [False, True])
def test_a_prompts_last_word_is_raised_even_where_it_comes_alone(gradient: bool) -> None:
    case, plan = random_case(cached=30, queries=1), plan_of((12, 30), COLUMNS)
    case.query.requires_grad_(gradient)
    for masked in (True, False):
        output, _ = run(case, [plan], masked)
        assert largest(output - dense(case, [plan])[0]) < 1e-5


def test_only_the_chosen_heads_are_raised_where_heads_are_chosen() -> None:
    case, plan = random_case(), random_plan(ROWS, COLUMNS)
    output, report = run(case, [plan], threshold=1.0, heads=frozenset({(0, 1), (0, 3)}))
    assert report.layers[0].active.tolist() == [[False, True, False, True]]
    expected, _ = dense(case, [plan])
    assert largest(output[:, [1, 3]] - expected[:, [1, 3]]) < 1e-5
    assert torch.equal(output[:, [0, 2]], plain(case)[:, [0, 2]])


@pytest.mark.parametrize("chosen", [(0,), (2, 3), (1, 2), (0, 3), (0, 1, 2, 3)])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("entries", [1, 2**19])
def test_any_chosen_heads_are_raised_and_no_others(
    entries: int, groups: int, chosen: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENTRIES_AT_ONCE, "cpu", entries)
    case, plans = random_case(prompts=2, groups=groups), [random_plan(ROWS, COLUMNS), plan_of((), ())]
    output, report = run(case, plans, heads=frozenset((0, head) for head in chosen))
    assert report.layers[0].active.tolist() == [[head in chosen for head in range(4)], [False] * 4]
    expected, _ = dense(case, plans)
    others = [head for head in range(4) if head not in chosen]
    assert largest(output[:, list(chosen)] - expected[:, list(chosen)]) < 1e-5
    assert torch.equal(output[:, others], plain(case)[:, others])


def test_chosen_heads_in_some_layers_leave_the_others_alone() -> None:
    model, ids = Decoder(layers=4), torch.arange(24)[None]
    seen: dict[int, Tensor] = {}

    def outputs_of(settings: Alignment) -> tuple[list[Tensor], AlignmentReport]:
        found: list[Tensor] = []
        hooks = [module.register_forward_hook(lambda *args: found.append(args[2][0])) for module in model.layers]
        with torch.inference_mode(), aligned(model, random_plan(ROWS, COLUMNS), settings, observer) as report:
            model.model(ids)
        for hook in hooks:
            hook.remove()
        return found, report

    def record(layer: int, _before: Tensor, _after: Tensor, active: Tensor) -> None:
        seen[layer] = active

    observer = None
    own, _ = outputs_of(Alignment(heads=frozenset()))
    settings = Alignment(heads=frozenset({(1, 0), (1, 3), (2, 2)}))
    found, report = outputs_of(settings)
    assert {layer: done.active.tolist() for layer, done in report.layers.items()} == {
        1: [[True, False, False, True]],
        2: [[False, False, True, False]],
    }
    assert torch.equal(found[0], own[0])
    assert not torch.allclose(found[1][:, list(ROWS)], own[1][:, list(ROWS)])
    others = [row for row in range(24) if row not in ROWS]
    assert torch.equal(found[1][:, others], own[1][:, others])
    observer = record
    observed, _ = outputs_of(settings)
    torch.testing.assert_close(observed, found)
    assert [int(active.sum()) for active in seen.values()] == [0, 2, 1, 0]


def test_a_chosen_head_in_a_layer_that_is_missing_is_an_error() -> None:
    with pytest.raises(UsageError, match="layers up to 1, the decoder has 1"):
        run(random_case(), [plan_of(ROWS, COLUMNS)], heads=frozenset({(1, 0)}))


def test_dropout_and_alignment_do_not_go_together() -> None:
    case, model = random_case(), decoder(2)
    with aligned(model, plan_of(ROWS, COLUMNS), Alignment(layers="all")), pytest.raises(ValueError, match="no dropout"):
        aligned_attention(model.layers[0], case.query, case.key, case.value, None, dropout=0.1, scaling=case.scale)


# Gradients


def gradients(case: Case, attention: Callable[[Case], Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The output in the rows that see something, and what its weighted sum gives the query, key and value."""
    parts = [part.clone().requires_grad_() for part in (case.query, case.key, case.value)]
    output = attention(Case(*parts, case.visible, case.scale))
    weights = torch.randn(output.shape, dtype=output.dtype, generator=torch.Generator().manual_seed(1))
    (output * weights * case.visible.any(-1, keepdim=True)).sum().backward()
    assert all(part.grad is not None for part in parts)
    return output, [part.grad for part in parts if part.grad is not None]


@pytest.mark.parametrize("rest", [plan_of((), ()), plan_of((9, 14), ())], ids=["nothing", "no boxes"])
@pytest.mark.parametrize("checkpointing", ["none", "reentrant", "not reentrant"])
@pytest.mark.parametrize("rule", list(RULES))
def test_gradients_equal_those_of_the_formula(rule: str, checkpointing: str, rest: AlignmentPlan) -> None:
    case = random_case(prompts=3, padding=(0, 6, 2)).double()
    plans = [random_plan(ROWS, COLUMNS), plan_of((12, 20), (7, 9)), rest]

    def layer(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        output, _ = aligned_attention(model.layers[0], query, key, value, case.visible, scaling=case.scale)
        return output.transpose(1, 2)

    def product(case: Case) -> Tensor:
        parts = (case.query, case.key, case.value)
        if checkpointing == "none":
            return layer(*parts)
        output: Tensor = checkpoint(layer, *parts, use_reentrant=checkpointing == "reentrant")
        return output

    model = decoder(2)
    with aligned(model, plans, Alignment(layers="all", threshold=0.0, rule=RULES[rule])):
        output, found = gradients(case, product)
    reference, expected = gradients(case, lambda case: dense(case, plans, rule=rule)[0])
    torch.testing.assert_close(output, reference, rtol=0, atol=1e-9)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing_enable`:FutureWarning")  # its new name is too new
@pytest.mark.parametrize("rule", list(RULES))
def test_a_model_learns_the_same_with_gradient_checkpointing(rule: str) -> None:
    ids = torch.randint(0, 50, (2, 24), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, :3] = 0
    plans = [random_plan(ROWS, COLUMNS), plan_of((12, 20), (7, 9))]
    found: list[list[Tensor]] = []
    for steps in (False, True):
        model = Decoder(layers=2)
        model.model.train()
        if steps:
            model.model.gradient_checkpointing_enable()
        with aligned(model, plans, Alignment(layers="all", threshold=0.0, rule=RULES[rule])):
            model.model(input_ids=ids, attention_mask=mask, labels=ids).loss.backward()
        found.append([weight.grad for weight in model.model.parameters() if weight.grad is not None])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)
    unaligned = Decoder(layers=2)
    unaligned.model(input_ids=ids, attention_mask=mask, labels=ids).loss.backward()
    query_weight = unaligned.layers[0].q_proj.weight.grad
    assert all(not torch.allclose(query_weight, grad) for grad in found[0] if grad.shape == query_weight.shape)


def test_gradients_are_numbers_where_a_row_gets_no_bias() -> None:
    case = random_case().double()
    case = Case(-case.query.abs(), case.key.abs(), case.value, case.visible, case.scale)  # every score is negative
    plan = random_plan(ROWS, COLUMNS)
    with aligned(decoder(2), plan, Alignment(layers="all", threshold=0.0, rule=RULES["floored"])):
        output, found = gradients(
            case,
            lambda case: aligned_attention(
                decoder(2).layers[0], case.query, case.key, case.value, case.visible, scaling=case.scale
            )[0].transpose(1, 2),
        )
    torch.testing.assert_close(output, plain(case))
    assert all(gradient.isfinite().all() for gradient in found)


# What prompts share, and what layers do


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("entries", [1, 2**19])
@pytest.mark.parametrize(
    "parts",
    [
        [(ROWS, COLUMNS), (ROWS, COLUMNS)],
        [(ROWS, COLUMNS), ((9, 14, 15, 20, 21), COLUMNS)],
        [(ROWS, COLUMNS), (ROWS, (0, 2, 3, 4, 6))],
        [(ROWS, COLUMNS), ((9, 20), COLUMNS)],
        [(ROWS, COLUMNS), (ROWS, (4,))],
    ],
    ids=["the same", "other rows", "other columns", "fewer rows", "fewer columns"],
)
def test_prompts_may_have_any_rows_and_columns_in_common(
    parts: list[tuple[tuple[int, ...], ...]], entries: int, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENTRIES_AT_ONCE, "cpu", entries)
    case = random_case(prompts=2)
    plans = [random_plan(rows, columns, seed) for seed, (rows, columns) in enumerate(parts)]
    threshold = 0.07
    for masked in (True, False):
        output, report = run(case, plans, masked, rule=RULES[rule], threshold=threshold)
        expected, active = dense(case, plans, threshold=threshold, rule=rule)
        assert largest(output - expected) < 1e-5
        assert torch.equal(report.layers[0].active, active)
        assert 0 < active.sum() < active.numel()


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("entries", [1, 2**19])
def test_heads_may_have_masks_of_their_own(entries: int, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENTRIES_AT_ONCE, "cpu", entries)
    case = random_case()
    visible = case.visible.repeat(1, 4, 1, 1)
    visible[:, 1].logical_and_(torch.ones(24, 24, dtype=torch.bool).triu(-10))
    case = Case(case.query, case.key, case.value, visible, case.scale)
    output, report = run(case, [random_plan(ROWS, COLUMNS)], rule=RULES[rule])
    expected, active = dense(case, [random_plan(ROWS, COLUMNS)], rule=rule)
    assert largest(output - expected) < 1e-5
    assert torch.equal(report.layers[0].active, active)


def test_another_forward_in_the_same_context_is_aligned_by_its_own_mask() -> None:
    case, plan, model = random_case(), random_plan(ROWS, COLUMNS), decoder(2)
    with aligned(model, plan, Alignment(layers="all", threshold=0.0)):
        for unseen in ((), (2, 3)):
            case.visible[..., list(unseen)] = False  # in place: it is the same tensor
            state_of(model.layers[0]).plans.begin(0)  # as at the start of every forward pass of the model
            output, _ = aligned_attention(
                model.layers[0], case.query, case.key, case.value, case.visible, scaling=case.scale
            )
            assert largest(output.transpose(1, 2) - dense(case, [plan])[0]) < 1e-5


def test_the_plan_of_a_row_may_be_empty_in_one_prompt_and_not_in_another() -> None:
    case = random_case(prompts=2)
    plans = [plan_of(ROWS, ()), plan_of(ROWS, COLUMNS, np.zeros((5, 5), dtype=np.bool_))]
    for rule in RULES.values():
        output, report = run(case, plans, rule=rule)
        assert torch.equal(output, plain(case))
        assert report.active_share() == [0.0, 0.0]


@pytest.mark.parametrize("rule", list(RULES))
def test_no_head_is_active_for_a_prompt_of_a_batch_without_a_pair(rule: str) -> None:
    case = random_case(prompts=3)
    nothing = plan_of(ROWS, COLUMNS, np.zeros((5, 5), dtype=np.bool_))
    output, report = run(case, [plan_of(ROWS, COLUMNS), nothing, plan_of(ROWS, ())], rule=RULES[rule])
    assert torch.equal(output[1:], plain(case)[1:]) and not torch.equal(output[0], plain(case)[0])
    assert report.active_share() == [1.0, 0.0, 0.0]
    assert report.negative_share()[1:] == [None, None]
    named = frozenset({(0, 1), (0, 2)})  # named heads are not active either
    _, report = run(case, [plan_of(ROWS, COLUMNS), nothing, plan_of(ROWS, ())], rule=RULES[rule], heads=named)
    assert report.active_count() == [2, 0, 0]
