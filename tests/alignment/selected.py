"""Head selectors written from their definitions, over dense attention with every score in memory, in float64.

It shares the plan's indices and weights with the product, and nothing else. One prompt at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.hooks import decoder_attention
from socialcli.alignment.plan import AlignmentPlan

NAME = "dense_selectors"
Head = tuple[int, int]
Select = Callable[[Head, float], bool]  # of a head and its mean: whether it is active


@dataclass
class Pass:
    """One forward pass: what it aligns, and what it saw."""

    plan: AlignmentPlan
    layers: frozenset[int]
    alpha: float
    constant: bool  # W = alpha in place of alpha * max S
    select: Select
    means: dict[Head, float] = field(default_factory=dict)
    active: set[Head] = field(default_factory=set)
    least_kept: float = 1.0  # of a biased row: the sum of exp(S + W) over that of exp(S)

    def attend(
        self, module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, scaling: Any = None, **_: Any
    ) -> tuple[Tensor, None]:
        """Attention of (1, heads, Q, width)."""
        groups = query.shape[1] // key.shape[1]
        key, value = (part.double().repeat_interleave(groups, dim=1) for part in (key, value))
        scores = query.double() @ key.transpose(2, 3) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
        queries, keys = scores.shape[2:]
        causal = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)  # the last queries, where few are run
        scores = scores.masked_fill(~(causal if attention_mask is None else attention_mask), -torch.inf)[0]
        if module.layer_idx in self.layers:
            scores = torch.stack([self.biased((module.layer_idx, head), one) for head, one in enumerate(scores)])
        output = scores.softmax(-1).nan_to_num(0) @ value[0]
        return output.transpose(0, 1).unsqueeze(0).to(query.dtype), None

    def biased(self, head: Head, scores: Tensor) -> Tensor:
        """S + W of a head, (Q, K), if it is active; else S."""
        plan = self.plan
        rows, columns = torch.from_numpy(plan.rows), torch.from_numpy(plan.columns)
        tested = rows if plan.tested is None else rows[torch.from_numpy(plan.tested)]
        self.means[head] = float(scores.softmax(-1).nan_to_num(0)[tested][:, columns].mean())
        if not self.select(head, self.means[head]):
            return scores
        self.active.add(head)
        towards = scores[rows][:, columns]
        largest = towards.amax(1, keepdim=True)
        bias = torch.full_like(largest, self.alpha) if self.constant else self.alpha * largest
        weights = torch.from_numpy(plan.pairs if plan.weights is None else plan.weights * plan.pairs).double()
        raised = scores.clone()
        raised[rows[:, None], columns] = torch.where(towards.isfinite(), towards + weights * bias, towards)
        kept = (raised[rows].logsumexp(-1) - scores[rows].logsumexp(-1)).exp()
        self.least_kept = min(self.least_kept, float(kept.nan_to_num(1).min()))
        return raised


def run(adapter: Any, question: Any, one: Pass) -> Tensor:
    """The logits after the prompt's last token, (vocabulary,)."""
    AttentionInterface.register(NAME, one.attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    inputs = adapter.forward_inputs([question.encoded], question.clip.clip)
    with decoder_attention(adapter, NAME), torch.inference_mode():
        logits: Tensor = adapter.model(**inputs, logits_to_keep=1).logits
    return logits[0, -1].float()


def ranked(means: dict[Head, float], limit: int) -> set[Head]:
    """The heads with the largest means."""
    return set(sorted(means, key=lambda head: (-means[head], head))[:limit])
