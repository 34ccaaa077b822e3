"""(torch) The aligned attention: the model's own fused kernel, then the correction of the few rows that change.

The functions are hooked in through transformers' `AttentionInterface`, for the text decoder only, by the context
manager `aligned`, which always puts the model's own attention back. Only rows of the prompt change: in a decoding step
all rows of the plan lie before the query, and the model's own attention runs. What is computed stands in
`socialcli.alignment.method`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.batch import Placed, PlanBatch
from socialcli.alignment.bias import PUBLISHED
from socialcli.alignment.hooks import Alignable, attention_kernel, eager_attention, switch
from socialcli.alignment.kernels import attend
from socialcli.alignment.layers import resolve_layers
from socialcli.alignment.method import LayerTensors, PlannedRows, compute_afresh, mean_attention
from socialcli.alignment.plan import AlignmentPlan, Indices
from socialcli.alignment.report import AlignmentReport, LayerReport
from socialcli.alignment.rules import BiasRule
from socialcli.errors import UsageError

__all__ = [
    "Alignable",
    "Alignment",
    "AlignmentReport",
    "PlanBatch",
    "Watch",
    "aligned",
    "aligned_attention",
    "attention_kernel",
    "eager_attention",
]

IMPLEMENTATION = "socialcli_aligned"
ENTRIES_AT_ONCE = {"cpu": 2**19, "gpu": 2**25}  # scores in memory at once
_STATE = "_socialcli_alignment"


@dataclass(frozen=True, slots=True)
class Alignment:
    """The settings of the method."""

    alpha: float = 1.0  # strength of the bias; 0 changes nothing
    threshold: float = 5e-5  # lambda: a head is active when its mean attention from U to V_all is above it
    layers: str = "auto"  # decoder layers that take part: the middle third, "all", or "10-19"
    rule: BiasRule = PUBLISHED
    heads: frozenset[tuple[int, int]] | None = None  # (layer, head): active whatever else is said
    max_heads: int | None = None  # active per prompt, those of the largest means; see `AlignmentReport.capped`

    def layers_of(self, count: int) -> Sequence[int]:
        """The layers that take part in a decoder of `count` layers. Raises UsageError where it has no such layers."""
        if self.heads is None:
            return resolve_layers(self.layers, count)
        layers = sorted({layer for layer, _ in self.heads})
        if layers and layers[-1] >= count:
            raise UsageError(f"the chosen heads are in layers up to {layers[-1]}, the decoder has {count}")
        return layers

    def heads_of(self, layer: int) -> frozenset[int] | None:
        """The heads of a layer that are active whatever else is said; None: those that pass the threshold."""
        return None if self.heads is None else frozenset(head for its_layer, head in self.heads if its_layer == layer)


Watch = Callable[[int, Tensor, Tensor, Tensor], None]
"""Called in every decoder layer with: the layer, the attention from the rows U to the watched columns (V_all, unless
others are named) before and after the bias, each (B, H, R, C), and which heads are active (B, H; none in layers that do
not take part)."""


@dataclass(frozen=True, slots=True, eq=False)
class _LayerState:
    """What an attention module of a chosen layer carries while it is aligned."""

    layer: int
    takes_part: bool  # False: only watched
    chosen: frozenset[int] | None  # the active heads; None: those that pass the threshold
    capped: Tensor | None  # (B, Hq) bool: the active heads of each prompt; None: as above
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
    capped: Mapping[int, Tensor] | None = None,
) -> Iterator[AlignmentReport]:
    """Run the model's forward with aligned attention: `with aligned(model, plan): model.model(**inputs)`.

    `plans` are those of the batch's prompts, in order, with indices of the padded sequence (`AlignmentPlan.shifted`).
    `watch` gets to see the attention of all layers, to V_all or to the tokens `watched` (for each of the plans,
    ascending), which change nothing but what it sees: memory grows with their number times that of the rows U.

    `settings.max_heads` is not looked at: which heads have the largest means is known only behind the last layer. Run
    without a limit, and if `report.capped(max_heads)` is not None, once more with that as `capped`.

    The model's own attention is back at the end, whatever happens: with gradient checkpointing, which runs the layers
    again, the backward pass belongs inside too.
    """
    settings = settings or Alignment()
    plans = [plans] if isinstance(plans, AlignmentPlan) else list(plans)
    modules = model.layers
    chosen = settings.layers_of(len(modules))
    batch = PlanBatch.of(plans, next(modules[0].parameters()).device, watched)
    report = AlignmentReport()
    before = switch(model.model, IMPLEMENTATION)
    try:
        for layer, module in enumerate(modules):
            takes_part = layer in chosen
            heads = settings.heads_of(layer) if takes_part else frozenset[int]()
            its_capped = None if capped is None else capped.get(layer)
            state = _LayerState(
                layer, takes_part, heads, its_capped, batch, settings, report, watch, eager=before == "eager"
            )
            setattr(module, _STATE, state)
        yield report
    finally:
        for module in modules:
            vars(module).pop(_STATE, None)
        switch(model.model, before)


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
    if state is not None and state.layer == 0:
        state.plans.forget()  # another forward has other masks
    queries = range(key.shape[2] - query.shape[2], key.shape[2])  # their places among the keys; the others are cached
    concerned = state is not None and state.concerns(queries)
    if state is None or not (concerned or state.eager):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    if dropout:
        raise ValueError("aligned attention has no dropout: set the model's attention_dropout to 0")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if concerned:
        placed = state.plans.placed(queries, attention_mask, query.dtype)
        mask = attention_mask if state.eager else placed.bias
        output, lse = attend(query, key, value, mask, scale, eager=state.eager)
        output = _align(output, LayerTensors(query, key, value, lse, scale), placed, state)
    else:
        output, _ = attend(query, key, value, attention_mask, scale, eager=True)
    return output.transpose(1, 2).contiguous(), None


def _align(output: Tensor, layer: LayerTensors, placed: Placed, state: _LayerState) -> Tensor:
    """`output` (B, Hq, Q, D) with the plans' rows corrected in the active heads; in place where nothing learns."""
    if output.requires_grad:
        output = output.clone()
    report = LayerReport.of(output)
    for heads in _parts(output, layer, state):
        _align_heads(output[:, heads], layer.heads(heads), placed.heads(heads), heads, state, report)
    if state.takes_part:
        state.report.layers[state.layer] = report
    return output


def _parts(output: Tensor, layer: LayerTensors, state: _LayerState) -> Iterator[slice]:
    """The query heads to look at, all of them or around the chosen ones.

    A few at a time, so that what they need in between stays small beside the model's own memory; where somebody watches
    or learns, at once.
    """
    heads, groups = layer.query.shape[1], layer.query.shape[1] // layer.key.shape[1]
    entries = ENTRIES_AT_ONCE["cpu" if output.device.type == "cpu" else "gpu"]
    together = max(1, entries // (state.plans.pairs.numel() * groups)) * groups
    if state.watch is not None or output.requires_grad:
        together = heads
    wanted = range(heads) if state.chosen is None or state.watch is not None else sorted(state.chosen)
    for start in range(0, heads, together):
        inside = [head for head in wanted if start <= head < start + together]
        if inside:
            first, last = inside[0], inside[-1]
            if first // groups != last // groups:  # then whole groups
                first, last = first // groups * groups, last // groups * groups + groups - 1
            yield slice(first, last + 1)


def _align_heads(
    output: Tensor, layer: LayerTensors, placed: Placed, heads: slice, state: _LayerState, report: LayerReport
) -> None:
    """Correct the plans' rows in the `output` of some heads, in place, and note it in `report`."""
    rows = PlannedRows.of(layer, placed)
    scores = rows.scores(placed.columns, placed.unseen)
    active = _active(rows, scores, heads, state, report)
    known = output.device.type == "cpu"  # a GPU would have to be waited for
    if known and state.watch is None and not active.any():
        return
    bias = rows.bias(scores, state.settings.rule, state.settings.alpha)
    change = rows.change(scores, bias, None if known and active.all() else active)
    afresh = compute_afresh(rows, change.losing, bias) if change.losing.any() else None
    if state.watch is not None:
        state.watch(state.layer, *rows.watched(scores, bias, change, afresh, state.plans.watched), active)
    if state.takes_part:
        rows.correct(output, change, afresh)
        report.biased.add_((placed.biased_rows & active[..., None, None]).sum(dim=(1, 2, 3)))
        report.negative.add_(((bias < 0).any(dim=-1) & active[..., None]).sum(dim=(1, 2)))


def _active(rows: PlannedRows, scores: Tensor, heads: slice, state: _LayerState, report: LayerReport) -> Tensor:
    """Which of some `heads` are active for which prompt, (B, H): step 1 of the method, unless they are chosen.

    None is where no word has a region to be raised towards: a bias of nothing is no alignment.
    """
    alignable = rows.placed.alignable
    if state.capped is not None:
        active = state.capped[:, heads] & alignable
    elif state.chosen is not None:
        named = [head in state.chosen for head in range(heads.start, heads.stop)]
        active = torch.tensor(named, device=scores.device) & alignable
    else:
        means = mean_attention(rows.attention(scores), rows.placed.pairs)
        active = (means > state.settings.threshold) & alignable
        report.means[:, heads] = means.detach().float()
    report.active[:, heads] = active
    return active


AttentionInterface.register(IMPLEMENTATION, aligned_attention)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)  # without it, masks are silently lost
