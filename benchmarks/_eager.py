"""The alignment as in typical research code: all scores of every layer in memory, the bias added before the softmax."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.plan import AlignmentPlan

NAME = "eager_alignment"


@dataclass(frozen=True, slots=True)
class EagerAlignment:
    """The published rule: bias the pairs of a plan, in `layers`, in heads above the threshold or in `heads`."""

    plan: AlignmentPlan
    layers: Collection[int]
    heads: Mapping[int, Tensor] | None = None  # by layer; None: those whose mean attention is above the threshold
    alpha: float = 1.0
    threshold: float = 5e-5
    constant: float | None = None  # this bias for all pairs instead of the published one


_current: dict[str, EagerAlignment] = {}


@contextmanager
def eager(model: Any, alignment: EagerAlignment) -> Iterator[None]:
    """Give a transformers model's text decoder, of a batch of one, the eager attention with `alignment`."""
    whole = model.config.get_text_config() is model.config
    before: str = model.config.get_text_config()._attn_implementation
    _current["alignment"] = alignment
    model.set_attn_implementation(NAME if whole else {"text_config": NAME})
    try:
        yield
    finally:
        model.set_attn_implementation(before if whole else {"text_config": before})
        _current.clear()


def eager_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention with transformers' interface. A step with a cache, which has no aligned rows, is plain."""
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scores = query @ key.transpose(2, 3) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    rows, columns = scores.shape[2:]
    if attention_mask is None:
        attention_mask = torch.ones(rows, columns, dtype=torch.bool, device=query.device).tril(columns - rows)
    scores = scores.masked_fill(~attention_mask, -torch.inf)
    alignment = _current["alignment"]
    if rows == columns and module.layer_idx in alignment.layers:
        scores = scores + _bias(scores, alignment, module.layer_idx)
    return (scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value).transpose(1, 2).contiguous(), None


def _bias(scores: Tensor, alignment: EagerAlignment, layer: int) -> Tensor:
    """The bias of the scores, in their shape (1, heads, length, length)."""
    plan = alignment.plan
    rows, columns, pairs = (torch.from_numpy(part).to(scores.device) for part in (plan.rows, plan.columns, plan.pairs))
    bias = torch.zeros_like(scores)
    if rows.numel() == 0 or columns.numel() == 0:
        return bias
    if alignment.heads is None:
        attention = scores.softmax(-1, dtype=torch.float32)
        shares = attention[0][:, rows][:, :, columns].mean((1, 2))
        heads = torch.nonzero(shares > alignment.threshold).squeeze(1)
    else:
        heads = alignment.heads[layer]
    largest = scores[:, heads][:, :, rows][:, :, :, columns].amax(-1, keepdim=True)
    weights = alignment.alpha * largest if alignment.constant is None else alignment.constant
    bias[:, heads[:, None, None], rows[:, None], columns] = weights * pairs
    return bias


AttentionInterface.register(NAME, eager_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
