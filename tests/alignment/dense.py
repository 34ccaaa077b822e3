"""Aligned attention written from the formula: dense, in float64, one head at a time, differentiable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from socialcli.alignment.plan import AlignmentPlan


def plan_of(rows: Sequence[int], columns: Sequence[int], pairs: np.ndarray | None = None) -> AlignmentPlan:
    """A plan with those pairs (all, by default)."""
    if pairs is None:
        pairs = np.ones((len(rows), len(columns)), dtype=np.bool_)
    return AlignmentPlan(np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), pairs, np.zeros_like(pairs))


def random_plan(rows: Sequence[int], columns: Sequence[int], seed: int = 0) -> AlignmentPlan:
    """A plan with about half of the pairs."""
    return plan_of(rows, columns, np.random.default_rng(seed).random((len(rows), len(columns))) < 0.5)


@dataclass(frozen=True, slots=True)
class Case:
    """One call of the attention: `query` (B, Hq, Q, D), `key` and `value` (B, Hkv, K, D), `visible` (B, 1, Q, K)."""

    query: Tensor
    key: Tensor
    value: Tensor
    visible: Tensor
    scale: float

    def double(self) -> Case:
        """The same numbers in float64."""
        return Case(self.query.double(), self.key.double(), self.value.double(), self.visible, self.scale)


def random_case(
    prompts: int = 1,
    heads: int = 4,
    groups: int = 2,
    queries: int = 24,
    cached: int = 0,
    padding: Sequence[int] = (),
    spread: float = 1.0,
    width: int = 8,
    dtype: torch.dtype = torch.float32,
) -> Case:
    """Causal attention of `queries` rows behind `cached` keys; prompt i has `padding[i]` keys in front that pad it."""
    draw = torch.Generator().manual_seed(prompts * 1000 + heads * 100 + groups * 10 + queries)
    keys = cached + queries
    query = torch.randn(prompts, heads, queries, width, generator=draw) * spread
    key = torch.randn(prompts, heads // groups, keys, width, generator=draw)
    value = torch.randn(prompts, heads // groups, keys, width, generator=draw)
    visible = torch.ones(queries, keys, dtype=torch.bool).tril(cached).repeat(prompts, 1, 1, 1)
    for prompt, pads in enumerate(padding):
        visible[prompt, :, :, :pads] = False
    return Case(query.to(dtype), key.to(dtype), value.to(dtype), visible, width**-0.5)


def shifted(case: Case, by: float) -> Case:
    """The same case with `by` added to every score: the softmax is the same, the sign of the scores is not."""
    query, key = case.query.clone(), case.key.clone()
    query[..., -1], key[..., -1] = 1, by / case.scale
    return Case(query, key, case.value, case.visible, case.scale)


def scores_of(case: Case) -> Tensor:
    """S, (B, Hq, Q, K), minus infinity where a row does not see a key."""
    key = case.key.repeat_interleave(case.query.shape[1] // case.key.shape[1], dim=1)
    return (case.query @ key.transpose(-1, -2) * case.scale).masked_fill(~case.visible, float("-inf"))


def dense(
    case: Case, plans: Sequence[AlignmentPlan], alpha: float = 1.0, threshold: float = 0.0, rule: str = "published"
) -> tuple[Tensor, Tensor]:
    """The aligned output (B, Hq, Q, D) in float64, and the active heads (B, Hq)."""
    case = case.double()
    value = case.value.repeat_interleave(case.query.shape[1] // case.key.shape[1], dim=1)
    scores = scores_of(case)
    cached = case.key.shape[2] - case.query.shape[2]
    output, active = [], torch.zeros(scores.shape[:2], dtype=torch.bool)
    for prompt, plan in enumerate(plans):
        for head in range(scores.shape[1]):
            attention, active[prompt, head] = one_head(scores[prompt, head], plan, cached, alpha, threshold, rule)
            output.append(attention @ value[prompt, head])
    return torch.stack(output).view(case.query.shape), active


def one_head(
    scores: Tensor, plan: AlignmentPlan, cached: int, alpha: float, threshold: float, rule: str
) -> tuple[Tensor, bool]:
    """The attention (Q, K) of a head after both steps of the method, and whether the head is active."""
    sees = torch.isfinite(scores).any(-1, keepdim=True)
    attention = torch.where(sees, scores, 0.0).softmax(-1) * sees
    here = plan.rows >= cached
    rows, columns = torch.from_numpy(plan.rows[here] - cached), torch.from_numpy(plan.columns)
    if not (len(rows) and len(columns)) or not attention[rows][:, columns].mean() > threshold:
        return attention, False
    pairs = torch.zeros(attention.shape, dtype=attention.dtype)
    pairs[rows[:, None], columns] = torch.from_numpy(plan.pairs[here]).to(attention.dtype)
    if not (pairs.bool() & torch.isfinite(scores)).any():
        return attention, False  # nothing to raise
    if rule == "probability":
        raised = attention + alpha * attention[:, columns].amax(-1, keepdim=True) * pairs * torch.isfinite(scores)
        return torch.where(sees, raised / raised.sum(-1, keepdim=True), 0.0), True
    bias = bias_of(rule, scores, scores[:, columns].amax(-1, keepdim=True), alpha)
    biased = pairs.bool() & torch.isfinite(scores)
    return torch.where(sees, scores + torch.where(biased, bias, 0.0), 0.0).softmax(-1) * sees, True


def bias_of(rule: str, scores: Tensor, best: Tensor, alpha: float) -> Tensor:
    """W of each row, (Q, 1), from its scores (Q, K), minus infinity where hidden, and its largest visual one (Q, 1)."""
    if rule == "published":
        return alpha * best
    if rule == "floored":
        return alpha * best.clamp(min=0)
    if rule == "constant":
        return torch.full_like(best, alpha)
    assert rule == "centred"
    keys = torch.isfinite(scores).sum(-1, keepdim=True)
    return (alpha * (best - scores.logsumexp(-1, keepdim=True) + keys.double().log())).clamp(min=0)
