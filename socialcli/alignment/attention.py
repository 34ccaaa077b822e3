"""(torch) The aligned attention: the model's own fused kernel, then a correction of the few rows that change.

`aligned` hooks it in through transformers' `AttentionInterface`, for the text decoder only. Only prompt rows change;
decoding steps run the model's own attention, unless a mode steers them. The equations are in
`socialcli.alignment.method`, the work on a layer's rows in `socialcli.alignment.rows.correction`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.bias import PUBLISHED
from socialcli.alignment.heads.selection import HeadSelection
from socialcli.alignment.heads.selectors import DYNAMIC, Head, HeadSelector, HeadSpace
from socialcli.alignment.hooks import (
    Alignable,
    decoder_attention,
    forward_starts,
    layers_of,
    module_states,
    state_of,
    visual_layers,
)
from socialcli.alignment.kernels import as_boolean, attend
from socialcli.alignment.layers import DecoderLayers, layers_text
from socialcli.alignment.plan import AlignmentPlan, Indices
from socialcli.alignment.report import AlignmentReport
from socialcli.alignment.rows.correction import LayerAlignment, correct_layer
from socialcli.alignment.rows.layer_rows import LayerTensors
from socialcli.alignment.rows.observation import Observer
from socialcli.alignment.rows.plan_batch import PlanBatch
from socialcli.alignment.rules import BiasRule
from socialcli.alignment.steering.modes import METHOD, Steering
from socialcli.errors import ModelError, UsageError

__all__ = ["Alignable", "Alignment", "AlignmentReport", "Observer", "aligned", "aligned_attention"]

IMPLEMENTATION = "socialcli_aligned"

# Arguments of transformers' attention interface that change the scores in ways that the alignment does not compute.
_UNSUPPORTED = {"softcap": "capped scores", "s_aux": "attention sinks", "position_bias": "a position bias"}


@dataclass(frozen=True, slots=True)
class Alignment:
    """The settings of the method."""

    alpha: float = 1.0  # strength of the bias; 0 changes nothing
    threshold: float = 5e-5  # lambda: a head is active when its mean attention from U to V_all is above it
    layers: str = "auto"  # decoder layers that take part: the middle third, "all", "10-19" or "3,7,11"
    rule: BiasRule = PUBLISHED
    heads: frozenset[Head] | None = None  # (layer, head): the active heads, in place of layers and threshold
    max_heads: int | None = None  # limit per prompt, for selectors that heed one; see `AlignmentReport.chosen`
    selector: HeadSelector = DYNAMIC  # without `heads`
    seed: int = 0  # of the selector `random`
    steering: Steering = METHOD  # what is biased towards what: it decides the plans, not the attention

    def layers_of(self, decoder: DecoderLayers) -> Sequence[int]:
        """The layers of a decoder that take part. Raises UsageError for layers that it lacks or that cannot take part.

        Named heads in layers that cannot be aligned are an error too.
        """
        if self.heads is None:
            return decoder.choose(self.layers)
        layers = sorted({layer for layer, _ in self.heads})
        if layers and layers[-1] >= decoder.count:
            raise UsageError(f"the chosen heads are in layers up to {layers[-1]}, the decoder has {decoder.count}")
        if not set(layers) <= set(decoder.alignable):
            raise UsageError(
                f"the chosen heads are in layers {layers_text(layers)}, of which only those in "
                f"{layers_text(decoder.alignable)} can be aligned"
            )
        return layers

    def named_heads(self, layers: Sequence[int], heads: int) -> frozenset[Head] | None:
        """The active heads, where no prompt decides them, in a decoder of `heads` heads a layer; None: prompts do."""
        if self.heads is not None or self.selector.named is None:
            return self.heads
        return self.selector.named(HeadSpace(layers, heads, self.max_heads, self.seed))

    @property
    def may_repeat(self) -> bool:
        """Whether prompts may have to run twice, since the heads may be selected after the last layer."""
        return self.heads is None and self.selector.afterwards is not None


@contextmanager
def aligned(
    model: Alignable,
    plans: AlignmentPlan | Sequence[AlignmentPlan],
    settings: Alignment | None = None,
    observer: Observer | None = None,
    observed: Sequence[Indices] | None = None,
    chosen: Mapping[int, Tensor] | None = None,
    follows: bool = False,
) -> Iterator[AlignmentReport]:
    """Run the model's forward pass with aligned attention: `with aligned(model, plan): model.model(**inputs)`.

    `plans` are those of the batch's prompts, in order, with indices of the padded sequence (`AlignmentPlan.shifted`).
    `observer` sees the attention of all layers to V_all, or to the tokens `observed` (ascending, for each plan), which
    need memory in proportion to their number times that of the rows U and change nothing else.

    The largest means are known only after the last layer, so that `settings.max_heads` has no effect on the selectors
    `dynamic` and `top` here: if `report.chosen(selector, max_heads)` is not None, run again with it as `chosen`.

    `follows`: the forward passes are decoding steps, and each prompt's one row is the token that runs.

    The model's own attention is restored at the end, also after an error. Gradient checkpointing runs layers again in
    the backward pass, so that this pass belongs inside too.
    """
    settings = settings or Alignment()
    plans = [plans] if isinstance(plans, AlignmentPlan) else list(plans)
    layers = settings.layers_of(layers_of(model))
    named = settings.named_heads(layers, model.model.config.get_text_config().num_attention_heads)
    batch = PlanBatch.of(plans, next(model.decoder_layers[0].parameters()).device, observed, follows)
    report = AlignmentReport()
    with decoder_attention(model, IMPLEMENTATION) as own:
        states = {
            layer: LayerAlignment(
                layer=layer,
                takes_part=layer in layers,
                selection=HeadSelection(
                    selector=settings.selector,
                    threshold=settings.threshold,
                    named=_in_layer(named, layer) if layer in layers else frozenset(),
                    chosen=None if chosen is None else chosen.get(layer),
                ),
                rule=settings.rule,
                alpha=settings.alpha,
                plans=batch,
                report=report,
                observer=observer,
                eager=own == "eager",
                cross=layer in model.cross_layers,
            )
            for layer in visual_layers(model)
        }
        modules = [model.layers[layer] for layer in states]
        with module_states(modules, list(states.values())), forward_starts(model, batch.begin):
            yield report


def _in_layer(heads: frozenset[Head] | None, layer: int) -> frozenset[int] | None:
    return None if heads is None else frozenset(head for its_layer, head in heads if its_layer == layer)


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
    """Attention with the signature of transformers' interface, which gives the shapes; aligned inside `aligned`."""
    state: LayerAlignment | None = state_of(module)
    start = 0 if state is None else state.plans.start
    queries = range(start, start + query.shape[2])  # in the sequence
    concerned = state is not None and state.concerns(queries)
    if state is None or not (concerned or state.eager):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    if dropout:
        raise ValueError("aligned attention has no dropout: set the model's attention_dropout to 0")
    _check_supported(module, attention_mask, state, kwargs)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if concerned:
        first_key = 0 if state.cross else _first_key(key.shape[2], queries, state, kwargs.get("sliding_window"))
        plans = state.plans.masked(queries, first_key, attention_mask, query.dtype)
        mask = plans.mask if state.eager else plans.additive_mask
        output, lse = attend(query, key, value, mask, scale, eager=state.eager)
        output = correct_layer(output, LayerTensors(query, key, value, lse, scale), plans, state)
    else:
        output, _ = attend(query, key, value, as_boolean(attention_mask), scale, eager=True)
    return output.transpose(1, 2).contiguous(), None


def _check_supported(
    module: nn.Module, mask: Tensor | None, state: LayerAlignment, arguments: Mapping[str, Any]
) -> None:
    """Raise ModelError for attention that is more than a softmax of scaled scores under a mask."""
    what = next((what for name, what in _UNSUPPORTED.items() if arguments.get(name) is not None), None)
    if state.cross and mask is None:
        what = "cross-attention without a mask"
    elif not state.cross and mask is not None and mask.dtype != torch.bool:
        what = f"a mask of {mask.dtype} in place of a boolean one"
    if what is not None:
        raise ModelError(f"layer {state.layer} ({type(module).__name__}) has {what}, which cannot be aligned exactly")


def _first_key(keys: int, queries: range, state: LayerAlignment, window: int | None) -> int:
    """The index in the sequence of a layer's first key; a sliding window has dropped the keys before it."""
    dropped = queries.stop - keys
    if dropped == 0 or (dropped > 0 and window is not None):
        return dropped
    raise ModelError(
        f"layer {state.layer} has {keys} keys for {queries.stop} tokens, so its KV cache is of a kind that cannot be "
        "aligned exactly; use transformers' DynamicCache"
    )


AttentionInterface.register(IMPLEMENTATION, aligned_attention)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)  # without it, transformers passes no mask at all
