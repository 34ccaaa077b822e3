"""(torch) The attention of the rows before and after the bias, for an observer. It changes nothing else."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from socialcli.alignment.kernels import additive
from socialcli.alignment.method import RowMix, attention, mixed_rows
from socialcli.alignment.rows.layer_rows import LayerRows
from socialcli.alignment.rows.masked_plans import visible_columns
from socialcli.alignment.rows.recomputed import RecomputedRows

Observer = Callable[[int, Tensor, Tensor, Tensor], None]
"""Called in every decoder layer with: the layer, the attention from the rows U to the observed columns (V_all, unless
others are named) before and after the bias, each (B, H, R, C), and which heads are active (B, H; none in layers that do
not take part)."""


def observed_attention(
    rows: LayerRows,
    scores: Tensor,
    bias: Tensor,
    mix: RowMix,
    active: Tensor | None,
    recomputed: RecomputedRows | None,
) -> tuple[Tensor, Tensor]:
    """The attention before and after the bias in the plans' observed columns, (B, Hq, R, N) each.

    `scores` and `bias` are those of the plans' columns; `active` (B, Hq) are the heads that change, None: all.
    """
    plans, observed, added = rows.plans, rows.plans.observed, mix.added
    bias = torch.where(plans.pairs, bias, 0.0)
    if observed is not None:
        seen = visible_columns(plans.mask, plans.rows, observed.columns, scores.shape[0])
        scores = rows.scores(observed.columns, None if seen is None else additive(seen, scores.dtype))
        bias, added = (_spread(part, observed.places, scores.shape[-1]) for part in (bias, added))
    before = attention(scores, rows.lse)
    after = mixed_rows(before, added, mix.kept, active)
    if recomputed is not None:
        exact = (scores + bias)[recomputed.index] - recomputed.lse.unsqueeze(-1)
        after = after.index_put(recomputed.index, exact.exp())
    return before, after


def _spread(part: Tensor, places: Tensor, width: int) -> Tensor:
    """`part` (B, H, R, C) in `width` columns: column c moves to `places[b, c]`; a place of `width` drops it."""
    index = places[:, None, None, :].expand_as(part)
    return part.new_zeros(*part.shape[:-1], width + 1).scatter(-1, index, part)[..., :-1]
