"""An independent alignment: dense softmax over the whole L x L matrix, the bias written straight from the formula.

It shares nothing with the product but the plan: rows, columns, pairs, and their weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.hooks import switch

NAME = "dense_reference"
_current: dict[str, Any] = {}


def dense(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float | None = None, **_: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention with every score in memory, in float64; returns the attention too."""
    own = query.dtype
    query = query.double()
    groups = query.shape[1] // key.shape[1]
    key, value = (part.double().repeat_interleave(groups, dim=1) for part in (key, value))
    scores = query @ key.transpose(2, 3) * scaling
    queries, keys = scores.shape[2:]
    causal = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)  # the last queries, where few are run
    visible = causal if attention_mask is None else attention_mask
    if visible.dtype != torch.bool:  # of cross-attention: terms of the scores, 0 where a key is seen
        visible = visible == 0
    scores = scores.masked_fill(~visible, float("-inf"))
    attention = scores.softmax(-1).nan_to_num(0)  # what pads a prompt on the left sees nothing
    if module.layer_idx in _current.get("layers", ()):
        for item, plan in enumerate(_current["plans"]):
            for head in range(scores.shape[1]):
                attention[item, head] = one_head(scores[item, head], attention[item, head], *plan)
    return (attention @ value).transpose(1, 2).to(own), attention


def one_head(scores: Any, attention: Any, rows: Any, columns: Any, pairs: Any, weights: Any, tested: Any) -> Any:
    """The attention (L, L) of one head after the two steps of the method."""
    if rows.numel() == 0 or columns.numel() == 0:
        return attention
    block = attention[rows[tested]][:, columns]
    if not block.mean() > _current["lambda"]:
        return attention
    alpha = _current["alpha"]
    if _current["bias"] != "probability":
        weight, visual = torch.zeros_like(scores), scores[rows][:, columns]
        bias = bias_of_rows(scores[rows], visual, alpha)
        seen = pairs & visual.isfinite()  # a window hides some
        weight[rows[:, None], columns] = torch.where(seen, weights * bias, 0.0)
        return (scores + weight).softmax(-1).nan_to_num(0)
    raised = attention.clone()
    for row, allowed in zip(rows.tolist(), pairs, strict=True):
        raised[row, columns[allowed]] += alpha * attention[row, columns].max()
    return (raised / raised.sum(-1, keepdim=True)).nan_to_num(0)


def bias_of_rows(scores: Any, visual: Any, alpha: float) -> Any:
    """W of each row, (R, 1), from its scores over all keys (R, L), and over the visual tokens in boxes (R, C)."""
    largest = visual.max(dim=1, keepdim=True).values
    mean = scores.exp().sum(dim=1, keepdim=True).div(scores.isfinite().sum(dim=1, keepdim=True)).log()
    return {
        "published": alpha * largest,
        "floored": alpha * largest.clamp(min=0),
        "centred": alpha * (largest - mean).clamp(min=0),
        "constant": torch.full_like(largest, alpha),
    }[_current["bias"]]


def parts_of(plan: Any) -> tuple[Any, ...]:
    """Rows, columns, pairs, weights of the pairs, and which rows select heads."""
    weights = np.ones(plan.pairs.shape) if plan.weights is None else plan.weights.astype(np.float64)
    tested = np.ones(plan.rows.shape, dtype=np.bool_) if plan.tested is None else plan.tested
    return plan.rows, plan.columns, plan.pairs, weights, tested


@contextmanager
def dense_attention(
    model: Any, plans: Sequence[Any], layers: Any, alpha: float, threshold: float, bias: str = "published"
) -> Iterator[None]:
    """Give the model's text decoder the dense attention, aligned by `plans` in `layers`."""
    tensors = [tuple(map(torch.from_numpy, parts_of(plan))) for plan in plans]
    before = switch(model.model, NAME)
    _current.update({"plans": tensors, "layers": set(layers), "alpha": alpha, "lambda": threshold, "bias": bias})
    try:
        yield
    finally:
        _current.clear()
        switch(model.model, before)


AttentionInterface.register(NAME, dense)
AttentionMaskInterface.register(NAME, sdpa_mask)
