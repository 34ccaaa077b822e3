"""(torch) Rows recomputed from all of their keys, where correcting the kernel's output would cancel.

A negative bias takes mass away. Where it takes most of a row, the corrected row is a small difference of two large
numbers; `RowMix.cancelling` marks these rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from socialcli.alignment.rows.layer_rows import LayerRows, widened

SCORES_AT_ONCE = 2**22  # 16 MiB in float32


@dataclass(frozen=True, slots=True, eq=False)
class RecomputedRows:
    """N rows under a bias, computed from all of their keys."""

    index: tuple[Tensor, Tensor, Tensor]  # prompt, head and slot among the rows U, (N,) each
    output: Tensor  # (N, D)
    lse: Tensor  # (N,): the log-sum-exp of S + W


def recompute(rows: LayerRows, which: Tensor, bias: Tensor) -> RecomputedRows:
    """The rows `which` (B, Hq, R), bool and not all False, under `bias`, as `LayerRows.bias` gives it.

    Needs memory for a few million scores at a time, and copies the keys of one head at a time.
    """
    layer, key_heads = rows.layer, rows.layer.key.shape[1]
    index = prompt, head, slot = which.nonzero(as_tuple=True)  # sorted: rows that share a key head are neighbours
    key_head = prompt * key_heads + head // layer.groups
    counts = torch.bincount(key_head, minlength=which.shape[0] * key_heads).tolist()
    by_key_head = torch.split(torch.stack(index), counts, dim=1)
    done = [
        _biased_softmax(rows, divmod(number, key_heads), part[1], part[2], bias)
        for number, chosen in enumerate(by_key_head)
        for part in torch.split(chosen, max(1, SCORES_AT_ONCE // layer.key.shape[2]), dim=1)
        if part.numel()
    ]
    outputs, sums = zip(*done, strict=True)
    return RecomputedRows((prompt, head, slot), torch.cat(outputs), torch.cat(sums))


def _biased_softmax(
    rows: LayerRows, shared: tuple[int, int], head: Tensor, slot: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Output (N, D) and log-sum-exp (N,) of N rows of a prompt and a key head, both in `shared`."""
    layer, plans, (prompt, key_head) = rows.layer, rows.plans, shared
    key, value = (widened(part[prompt, key_head]) for part in (layer.key, layer.value))
    scores = (rows.queries[prompt, head, slot] * layer.scale) @ key.T
    query = plans.rows.of_prompt(prompt)[slot]
    if plans.mask is None:
        hidden = torch.arange(key.shape[0], device=key.device) > query[:, None] + layer.cached
    else:
        mask = plans.mask[min(prompt, plans.mask.shape[0] - 1)]
        hidden = ~mask[head if mask.shape[0] > 1 else torch.zeros_like(head), query]
    pairs = plans.pairs[prompt]
    paired = pairs[head if pairs.shape[0] > 1 else torch.zeros_like(head), slot]
    weights = torch.where(paired, bias[prompt, head, slot], 0.0)
    columns = plans.columns.of_prompt(prompt)
    scores = scores.masked_fill(hidden, -torch.inf).index_add(1, columns, weights)
    lse = scores.logsumexp(dim=-1)
    return (scores - lse.unsqueeze(-1)).exp() @ value, lse
