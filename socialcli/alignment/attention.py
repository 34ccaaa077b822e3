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
from collections.abc import Callable, Iterator, Sequence
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
from socialcli.alignment.kernels import attend, grouped_scores, grouped_sum, row_lse, visible
from socialcli.alignment.layers import resolve_layers
from socialcli.alignment.plan import AlignmentPlan
from socialcli.alignment.rules import BiasRule
from socialcli.errors import UsageError

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
    heads: frozenset[tuple[int, int]] | None = None  # (layer, head): active whatever else is said

    def layers_of(self, count: int) -> Sequence[int]:
        """The layers that take part in a decoder of `count` layers. Raises UsageError where it has no such layers."""
        if self.heads is None:
            return resolve_layers(self.layers, count)
        layers = sorted({layer for layer, _ in self.heads})
        if layers and layers[-1] >= count:
            raise UsageError(f"the chosen heads are in layers up to {layers[-1]}, the decoder has {count}")
        return layers


Watch = Callable[[int, Tensor, Tensor, Tensor], None]
"""Called in every decoder layer with: the layer, the attention from the rows U to the columns V_all before and after
the bias, each (B, H, R, C), and which heads are active (B, H; none in layers that do not take part)."""


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
    span: range  # from the first row of all prompts to the last; empty: there is nothing to align
    places: dict[range, tuple[Tensor, Tensor, Tensor]] = field(default_factory=dict)  # see `entries`

    @classmethod
    def of(cls, plans: Sequence[AlignmentPlan], device: torch.device) -> PlanBatch:
        """Stack `plans`, whose indices count from the start of the padded sequence."""
        rows, real_rows = _stacked([plan.rows for plan in plans])
        columns, real_columns = _stacked([plan.columns for plan in plans])
        pairs = np.zeros((len(plans), rows.shape[1], columns.shape[1]), dtype=np.bool_)
        for filled, plan in zip(pairs, plans, strict=True):
            filled[: plan.rows.size, : plan.columns.size] = plan.pairs
        ends = [(int(plan.rows[0]), int(plan.rows[-1])) for plan in plans if plan.rows.size and plan.columns.size]
        span = range(min(first for first, _ in ends), max(last for _, last in ends) + 1) if ends else range(0)

        def placed(array: np.ndarray) -> Tensor:
            return torch.from_numpy(array).to(device)

        return cls(placed(rows), placed(real_rows), placed(columns), placed(real_columns), placed(pairs), span)

    def meets(self, queries: range) -> bool:
        """Whether some row may be among `queries`, places in the key sequence."""
        return max(self.span.start, queries.start) < min(self.span.stop, queries.stop)

    def among(self, queries: range) -> Tensor:
        """Which rows are real and among `queries`, (B, R) bool."""
        return self.real_rows & (self.rows >= queries.start) & (self.rows < queries.stop)

    def entries(self, queries: range) -> tuple[Tensor, Tensor, Tensor]:
        """The rows among `queries`: prompt, slot in the batch's rows, and place among the queries, each (N,).

        Kept, because all layers of a forward ask for the same, and a GPU must be waited for to tell how many there are.
        """
        if queries not in self.places:
            prompt, slot = self.among(queries).nonzero(as_tuple=True)
            self.places[queries] = prompt, slot, self.rows[prompt, slot] - queries.start
        return self.places[queries]


@dataclass(frozen=True, slots=True, eq=False)
class _LayerState:
    """What an attention module of a chosen layer carries while it is aligned."""

    layer: int
    takes_part: bool  # False: only watched
    plans: PlanBatch
    settings: Alignment
    report: AlignmentReport
    watch: Watch | None
    eager: bool  # the model's own attention is the eager one

    def concerns(self, queries: range) -> bool:
        """Whether there is something to do for `queries`, places in the key sequence."""
        return (self.takes_part or self.watch is not None) and self.plans.meets(queries)


@contextmanager
def aligned(
    model: Alignable,
    plans: AlignmentPlan | Sequence[AlignmentPlan],
    settings: Alignment | None = None,
    watch: Watch | None = None,
) -> Iterator[AlignmentReport]:
    """Run the model's forward with aligned attention: `with aligned(model, plan): model.model(**inputs)`.

    `plans` are those of the batch's prompts, in order, with indices of the padded sequence (`AlignmentPlan.shifted`).
    `watch` gets to see the attention of all layers. The model's own attention is back at the end, whatever happens:
    with gradient checkpointing, which runs the layers again, the backward pass belongs inside too.
    """
    settings = settings or Alignment()
    plans = [plans] if isinstance(plans, AlignmentPlan) else list(plans)
    modules = model.layers
    chosen = settings.layers_of(len(modules))
    batch = PlanBatch.of(plans, next(modules[0].parameters()).device)
    report = AlignmentReport()
    before = _switch(model.model, IMPLEMENTATION)
    try:
        for layer, module in enumerate(modules):
            state = _LayerState(layer, layer in chosen, batch, settings, report, watch, eager=before == "eager")
            setattr(module, _STATE, state)
        yield report
    finally:
        for module in modules:
            vars(module).pop(_STATE, None)
        _switch(model.model, before)


@contextmanager
def eager_attention(model: Alignable) -> Iterator[None]:
    """Give the text decoder the plain eager attention, every score in memory: to compare with. Always undone."""
    before = _switch(model.model, "eager")
    try:
        yield
    finally:
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
    queries = range(key.shape[2] - query.shape[2], key.shape[2])  # their places among the keys; the others are cached
    concerned = state is not None and state.concerns(queries)
    if state is None or not (concerned or state.eager):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    if dropout:
        raise ValueError("aligned attention has no dropout: set the model's attention_dropout to 0")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    output, lse = attend(query, key, value, attention_mask, scale, eager=state.eager)
    if not concerned:
        return output.transpose(1, 2).contiguous(), None
    rows = _Rows(query, key, value, attention_mask, lse, scale, queries)
    output, active = _align(output, rows, state)
    if state.takes_part:
        state.report.active[state.layer] = active
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
    places: range  # of the queries among the keys

    def queries_and_lse(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The queries (B, Hq, R, D) of `rows` (B, R), and the log-sum-exp (B, Hq, R) of their scores."""
        queries = _take(self.query, rows)
        if self.lse is None:
            return queries, row_lse(queries, rows, _wide(self.key), self.mask, self.scale, self.places.start)
        return queries, _take(self.lse.unsqueeze(-1), rows).squeeze(-1)

    def keys(self, columns: Tensor) -> Tensor:
        """The keys (B, Hkv, C, D) of `columns` (B, C)."""
        return _take(self.key, columns)

    def values(self, columns: Tensor) -> Tensor:
        """The values (B, Hkv, C, D) of `columns` (B, C)."""
        return _take(self.value, columns)


def _align(output: Tensor, layer: _Rows, state: _LayerState) -> tuple[Tensor, Tensor]:
    """Correct the plan's rows of `output` (B, Hq, Q, D) in the active heads; returns it and those heads (B, Hq)."""
    plans, settings = state.plans, state.settings
    real = plans.among(layer.places)
    place = torch.where(real, plans.rows - layer.places.start, 0)
    queries, lse = layer.queries_and_lse(place)
    scores = grouped_scores(queries, layer.keys(plans.columns), layer.scale)
    seen = plans.real_columns[:, None, None, :]
    if layer.mask is not None:  # a layer with a sliding window does not see all that stands before
        seen = seen & visible(layer.mask, place, plans.columns)
    scores = scores.masked_fill(~seen, -math.inf)
    attention = torch.exp(scores - lse.unsqueeze(-1))
    active = _active(attention, real, state)
    raised = plans.pairs[:, None] & active[:, :, None, None] & seen
    log_gain = settings.rule.log_gain(scores, lse, settings.alpha).masked_fill(~raised, -math.inf)
    ceiling = log_gain.detach().amax(dim=-1, keepdim=True).clamp(min=0)
    gain, rest = torch.exp(log_gain - ceiling), torch.exp(-ceiling)
    if state.watch is not None:
        raised_attention = (rest * attention + gain) / (rest + gain.sum(-1, keepdim=True))
        state.watch(state.layer, attention, raised_attention, active)
    raw = _take(output, place)
    corrected = (rest * raw + grouped_sum(gain, layer.values(plans.columns))) / (rest + gain.sum(-1, keepdim=True))
    return _put(output, corrected, plans.entries(layer.places)), active


def active_heads(attention: Tensor, rows: Tensor, columns: Tensor, threshold: float) -> Tensor:
    """Which heads ground words in the picture (B, H): mean attention from U to V_all above `threshold`.

    `attention` is (B, H, R, C); `rows` (B, R) and `columns` (B, C) tell the real ones from those that only fill up. A
    prompt without rows or columns has no active head.
    """
    # Filled with 0, not multiplied by it: where a row only fills up, its attention may not be a number.
    total = attention.masked_fill(~rows[:, None, :, None], 0).sum(dim=(-1, -2))
    pairs = (rows.sum(dim=-1) * columns.sum(dim=-1)).unsqueeze(-1)
    return (total > threshold * pairs) & (pairs > 0)


def _active(attention: Tensor, real: Tensor, state: _LayerState) -> Tensor:
    """The layer's active heads (B, H): none, the fixed ones, or those that pass the threshold on this input."""
    heads = state.settings.heads
    if not state.takes_part:
        return torch.zeros(attention.shape[:2], dtype=torch.bool, device=attention.device)
    if heads is None:
        return active_heads(attention, real, state.plans.real_columns, state.settings.threshold)
    fixed = torch.zeros(attention.shape[1], dtype=torch.bool, device=attention.device)
    fixed[[head for layer, head in sorted(heads) if layer == state.layer]] = True
    return fixed & (real.any(-1) & state.plans.real_columns.any(-1)).unsqueeze(-1)


def _put(output: Tensor, corrected: Tensor, entries: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    prompt, slot, place = entries
    where = (prompt, slice(None), place)
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
    text = model.config.get_text_config()
    before: str = text._attn_implementation
    # A plain name would take the vision tower too.
    own_key = next((key for key in model.config.sub_configs if getattr(model.config, key, None) is text), None)
    model.set_attn_implementation(implementation if own_key is None else {own_key: implementation})
    return before


AttentionInterface.register(IMPLEMENTATION, aligned_attention)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)  # without it, masks are silently lost
