"""(torch) The aligned attention: the model's own fused kernel, then the correction of the few rows that change.

The functions are hooked in through transformers' `AttentionInterface`, for the text decoder only, by the context
manager `aligned`, which always puts the model's own attention back. Only rows of the prompt change: in a decoding step
all rows of the plan lie before the query, and the model's own attention runs. What is computed stands in
`socialcli.alignment.correction`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.batch import PlanBatch
from socialcli.alignment.bias import LOGIT
from socialcli.alignment.correction import Gain, LayerTensors, PlannedRows, active_heads
from socialcli.alignment.kernels import attend
from socialcli.alignment.layers import resolve_layers
from socialcli.alignment.plan import AlignmentPlan, Indices
from socialcli.alignment.rules import BiasRule
from socialcli.errors import UsageError

__all__ = [
    "Alignable",
    "Alignment",
    "AlignmentReport",
    "PlanBatch",
    "Watch",
    "active_heads",
    "aligned",
    "aligned_attention",
    "eager_attention",
]

IMPLEMENTATION = "socialcli_aligned"
ENTRIES_AT_ONCE = {False: 2**17, True: 2**25}  # scores in memory at once: on a CPU, on a GPU
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
"""Called in every decoder layer with: the layer, the attention from the rows U to the watched columns (V_all, unless
others are named) before and after the bias, each (B, H, R, C), and which heads are active (B, H; none in layers that do
not take part)."""


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
    watched: Sequence[Indices] | None = None,
) -> Iterator[AlignmentReport]:
    """Run the model's forward with aligned attention: `with aligned(model, plan): model.model(**inputs)`.

    `plans` are those of the batch's prompts, in order, with indices of the padded sequence (`AlignmentPlan.shifted`).
    `watch` gets to see the attention of all layers, to V_all or to the tokens `watched` (for each of the plans,
    ascending), which change nothing but what it sees: memory grows with their number times that of the rows U.

    The model's own attention is back at the end, whatever happens: with gradient checkpointing, which runs the layers
    again, the backward pass belongs inside too.
    """
    settings = settings or Alignment()
    plans = [plans] if isinstance(plans, AlignmentPlan) else list(plans)
    modules = model.layers
    chosen = settings.layers_of(len(modules))
    batch = PlanBatch.of(plans, next(modules[0].parameters()).device, watched)
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
    layer = LayerTensors(query, key, value, attention_mask, lse, scale, queries)
    output, active = _align_in_parts(output, layer, state)
    if state.takes_part:
        state.report.active[state.layer] = active
    return output.transpose(1, 2).contiguous(), None


def _align_in_parts(output: Tensor, layer: LayerTensors, state: _LayerState) -> tuple[Tensor, Tensor]:
    """`_align`, a few heads at a time, so that what it needs in between stays small beside the model's own memory.

    Where somebody watches or learns, all heads at once.
    """
    heads, groups = layer.key.shape[1], layer.query.shape[1] // layer.key.shape[1]
    entries = state.plans.pairs.numel() * groups  # of one key head's scores
    at_once = max(1, ENTRIES_AT_ONCE[output.device.type == "cuda"] // max(entries, 1))
    if state.watch is not None or output.requires_grad or at_once >= heads:
        return _align(output, layer, state, 0)
    active = []
    for first in range(0, heads, at_once):
        part = layer.heads(first, min(first + at_once, heads))
        place = slice(first * groups, (first + at_once) * groups)
        active.append(_align(output[:, place], part, state, place.start)[1])
    return output, torch.cat(active, dim=1)


def _align(output: Tensor, layer: LayerTensors, state: _LayerState, first_head: int) -> tuple[Tensor, Tensor]:
    """Correct the plans' rows of `output` (B, Hq, Q, D) in the active heads; returns it and those heads (B, Hq)."""
    plans, settings = state.plans, state.settings
    rows = PlannedRows.of(layer, plans)
    scores = rows.scores(plans.columns, plans.real_columns)
    attention = rows.attention(scores)
    active = _active(attention, rows.real, state, first_head)
    raised = plans.pairs[:, None] & active[:, :, None, None] & (scores > -math.inf)
    gain = Gain.of(settings.rule.log_gain(scores, rows.lse, settings.alpha).masked_fill(~raised, -math.inf))
    if state.watch is not None:
        state.watch(state.layer, *rows.watched(attention, gain), active)
    return rows.corrected(output, gain), active


def _active(attention: Tensor, real: Tensor, state: _LayerState, first_head: int) -> Tensor:
    """The active ones of some heads (B, H): none, the fixed ones, or those that pass the threshold on this input."""
    heads = state.settings.heads
    if not state.takes_part:
        return torch.zeros(attention.shape[:2], dtype=torch.bool, device=attention.device)
    if heads is None:
        return active_heads(attention, real, state.plans.real_columns, state.settings.threshold)
    numbers = range(first_head, first_head + attention.shape[1])
    fixed = torch.tensor([(state.layer, head) in heads for head in numbers], device=attention.device)
    return fixed & (real.any(-1) & state.plans.real_columns.any(-1)).unsqueeze(-1)


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
