"""(torch) The aligned attention: the model's own fused kernel, then an exact correction of the few rows that change.

With S the scores, lse the log-sum-exp of a row and A = exp(S - lse) its attention, the plain output of row u is
out = sum_v A(u, v) value(v). Raising the pairs M(u) by a gain E >= 0 (see `BiasRule`) gives

    out'(u) = (out(u) + sum_{v in M(u)} E(u, v) value(v)) / (1 + sum_{v in M(u)} E(u, v))

which needs the scores of the rows U over the columns V_all alone: O(|U| |V_all| d) a head, and no L x L matrix. The
logit rule makes it softmax(S + W) exactly. Everything is scaled by exp(-c), c = max(0, max log E), so that a large bias
cannot overflow.

The functions are hooked in through transformers' `AttentionInterface`, for the text decoder only, by the context
manager `aligned`, which always puts the model's own attention back. Only rows of the prompt change: in a decoding step
all rows of the plan lie before the query, and the model's own attention runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.bias import LOGIT
from socialcli.alignment.kernels import attend, grouped_scores, grouped_sum, row_lse
from socialcli.alignment.layers import resolve_layers
from socialcli.alignment.plan import AlignmentPlan
from socialcli.alignment.rules import BiasRule

IMPLEMENTATION = "socialcli_aligned"
_STATE = "_socialcli_alignment"


class Alignable(Protocol):
    """A model that can be aligned; every `Adapter` is one."""

    model: Any  # a transformers PreTrainedModel

    @property
    def layers(self) -> Sequence[Any]:
        """The attention modules of the text decoder, first layer first."""
        ...


@dataclass(frozen=True, slots=True)
class Alignment:
    """The settings of the method."""

    alpha: float = 1.0  # strength of the bias; 0 changes nothing
    threshold: float = 5e-5  # lambda: a head is active when its mean attention from U to V_all is above it
    layers: str = "auto"  # decoder layers that take part: the middle third, "all", or "10-19"
    rule: BiasRule = LOGIT


@dataclass(slots=True)
class AlignmentReport:
    """What the aligned forward did: per decoder layer, which heads were active for which prompt, (batch, heads)."""

    active: dict[int, Tensor] = field(default_factory=dict)

    def active_share(self) -> list[float]:
        """Per prompt, the share of active heads among all heads of the layers that took part (0 if none did)."""
        if not self.active:
            return []
        return [float(share) for share in torch.cat(list(self.active.values()), dim=1).float().mean(dim=1)]


@dataclass(frozen=True, slots=True, eq=False)
class PlanBatch:
    """The plans of a batch as tensors, short ones filled up: row i of prompt b is real where `real_rows[b, i]`."""

    rows: Tensor  # (B, R) index in the key sequence
    real_rows: Tensor  # (B, R) bool
    columns: Tensor  # (B, C) index in the key sequence
    real_columns: Tensor  # (B, C) bool
    pairs: Tensor  # (B, R, C) bool
    last_row: int  # of all prompts; -1: there is nothing to align

    @classmethod
    def of(cls, plans: Sequence[AlignmentPlan], device: torch.device) -> PlanBatch:
        """Stack `plans`, whose indices count from the start of the padded sequence."""
        rows, real_rows = _stacked([plan.rows for plan in plans])
        columns, real_columns = _stacked([plan.columns for plan in plans])
        pairs = np.zeros((len(plans), rows.shape[1], columns.shape[1]), dtype=np.bool_)
        for filled, plan in zip(pairs, plans, strict=True):
            filled[: plan.rows.size, : plan.columns.size] = plan.pairs
        last = max((int(plan.rows[-1]) for plan in plans if plan.rows.size and plan.columns.size), default=-1)

        def placed(array: np.ndarray) -> Tensor:
            return torch.from_numpy(array).to(device)

        return cls(placed(rows), placed(real_rows), placed(columns), placed(real_columns), placed(pairs), last)


@dataclass(frozen=True, slots=True, eq=False)
class _LayerState:
    """What an attention module of a chosen layer carries while it is aligned."""

    layer: int
    plans: PlanBatch
    settings: Alignment
    report: AlignmentReport


@contextmanager
def aligned(
    model: Alignable, plans: AlignmentPlan | Sequence[AlignmentPlan], settings: Alignment | None = None
) -> Iterator[AlignmentReport]:
    """Run the model's forward with aligned attention: `with aligned(model, plan): model.model(**inputs)`.

    `plans` are those of the batch's prompts, in order, with indices of the padded sequence (`AlignmentPlan.shifted`).
    The model's own attention is back at the end, whatever happens inside.
    """
    settings = settings or Alignment()
    plans = [plans] if isinstance(plans, AlignmentPlan) else list(plans)
    modules = model.layers
    chosen = resolve_layers(settings.layers, len(modules))
    batch = PlanBatch.of(plans, next(modules[0].parameters()).device)
    report = AlignmentReport()
    before = _switch(model.model, IMPLEMENTATION)
    try:
        for layer in chosen:
            setattr(modules[layer], _STATE, _LayerState(layer, batch, settings, report))
        yield report
    finally:
        for layer in chosen:
            if hasattr(modules[layer], _STATE):
                delattr(modules[layer], _STATE)
        _switch(model.model, before)


def aligned_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Attention in the form of transformers' interface; see there for the shapes. Aligned where the module says so."""
    state: _LayerState | None = getattr(module, _STATE, None)
    cached = key.shape[2] - query.shape[2]
    if state is None or state.plans.last_row < cached:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    output, lse = attend(query, key, value, attention_mask, scale)
    rows = _Rows(query, key, value, attention_mask, lse, scale, cached)
    output, state.report.active[state.layer] = _align(output, rows, state.plans, state.settings)
    return output.transpose(1, 2).contiguous(), None


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """One layer's tensors, from which the rows and columns of a plan are taken in float32 (or wider)."""

    query: Tensor  # (B, Hq, Q, D)
    key: Tensor  # (B, Hkv, K, D)
    value: Tensor  # (B, Hkv, K, D)
    mask: Tensor | None
    lse: Tensor | None  # (B, Hq, Q)
    scale: float
    cached: int  # keys that stand before the first query

    def queries_and_lse(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The queries (B, Hq, R, D) of `rows` (B, R), and the log-sum-exp (B, Hq, R) of their scores."""
        queries = _take(self.query, rows)
        if self.lse is None:
            return queries, row_lse(queries, rows, _wide(self.key), self.mask, self.scale)
        return queries, _take(self.lse.unsqueeze(-1), rows).squeeze(-1)

    def keys(self, columns: Tensor) -> Tensor:
        """The keys (B, Hkv, C, D) of `columns` (B, C)."""
        return _take(self.key, columns)

    def values(self, columns: Tensor) -> Tensor:
        """The values (B, Hkv, C, D) of `columns` (B, C)."""
        return _take(self.value, columns)


def _align(output: Tensor, layer: _Rows, plans: PlanBatch, settings: Alignment) -> tuple[Tensor, Tensor]:
    """Correct the plan's rows of `output` (B, Hq, Q, D) in the active heads; returns it and those heads (B, Hq)."""
    place = plans.rows - layer.cached
    real = plans.real_rows & (place >= 0)
    place = place.clamp(min=0)
    queries, lse = layer.queries_and_lse(place)
    scores = grouped_scores(queries, layer.keys(plans.columns), layer.scale)
    scores = scores.masked_fill(~plans.real_columns[:, None, None, :], -math.inf)
    active = active_heads(torch.exp(scores - lse.unsqueeze(-1)), real, plans.real_columns, settings.threshold)
    raised = plans.pairs[:, None] & active[:, :, None, None]
    log_gain = settings.rule.log_gain(scores, lse, settings.alpha).masked_fill(~raised, -math.inf)
    ceiling = log_gain.detach().amax(dim=-1, keepdim=True).clamp(min=0)
    gain, rest = torch.exp(log_gain - ceiling), torch.exp(-ceiling)
    raw = _take(output, place)
    corrected = (rest * raw + grouped_sum(gain, layer.values(plans.columns))) / (rest + gain.sum(-1, keepdim=True))
    return _put(output, corrected, place, real), active


def active_heads(attention: Tensor, rows: Tensor, columns: Tensor, threshold: float) -> Tensor:
    """Which heads ground words in the picture (B, H): mean attention from U to V_all above `threshold`.

    `attention` is (B, H, R, C); `rows` (B, R) and `columns` (B, C) tell the real ones from those that only fill up. A
    prompt without rows or columns has no active head.
    """
    total = (attention * rows[:, None, :, None]).sum(dim=(-1, -2))
    pairs = (rows.sum(dim=-1) * columns.sum(dim=-1)).unsqueeze(-1)
    return (total > threshold * pairs) & (pairs > 0)


def _put(output: Tensor, corrected: Tensor, place: Tensor, real: Tensor) -> Tensor:
    prompt, slot = real.nonzero(as_tuple=True)
    where = (prompt, slice(None), place[prompt, slot])
    fresh = corrected[prompt, :, slot].to(output.dtype)
    if output.requires_grad or fresh.requires_grad:
        output = output.clone()
    output[where] = fresh
    return output


def _take(tensor: Tensor, index: Tensor) -> Tensor:
    """The entries `index` (B, N) along the sequence of `tensor` (B, H, L, D), wide enough to compute with."""
    shape = (-1, tensor.shape[1], -1, tensor.shape[3])
    return _wide(tensor.gather(2, index[:, None, :, None].expand(shape)))


def _wide(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _stacked(parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    longest = max((part.size for part in parts), default=0)
    filled = np.zeros((len(parts), longest), dtype=np.int64)
    real = np.zeros((len(parts), longest), dtype=np.bool_)
    for place, mask, part in zip(filled, real, parts, strict=True):
        place[: part.size], mask[: part.size] = part, True
    return filled, real


def _switch(model: Any, implementation: str) -> str:
    """Give the text decoder, and it alone, another attention; returns the name of the one it had."""
    before: str = model.config.get_text_config()._attn_implementation
    # A plain name would take the vision tower too.
    model.set_attn_implementation({"text_config": implementation})
    return before


AttentionInterface.register(IMPLEMENTATION, aligned_attention)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)  # without it, masks are silently lost
