"""(torch) The aligned attention: the model's own fused kernel, then a correction of the few rows that change.

`aligned` hooks it in through transformers' `AttentionInterface`, for the text decoder only. Only prompt rows change: in
a decoding step all rows of the plan precede the query, and the model's own attention runs. The equations are in
`socialcli.alignment.method`, the work on a layer's rows in `socialcli.alignment.rows.correction`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from socialcli.alignment.bias import PUBLISHED
from socialcli.alignment.head_selection import HeadSelection
from socialcli.alignment.hooks import Alignable, decoder_attention, module_states, state_of
from socialcli.alignment.kernels import attend
from socialcli.alignment.layers import resolve_layers
from socialcli.alignment.plan import AlignmentPlan, Indices
from socialcli.alignment.report import AlignmentReport
from socialcli.alignment.rows.correction import LayerAlignment, correct_layer
from socialcli.alignment.rows.layer_rows import LayerTensors
from socialcli.alignment.rows.observation import Observer
from socialcli.alignment.rows.plan_batch import PlanBatch
from socialcli.alignment.rules import BiasRule
from socialcli.errors import UsageError

__all__ = ["Alignable", "Alignment", "AlignmentReport", "Observer", "aligned", "aligned_attention"]

IMPLEMENTATION = "socialcli_aligned"


@dataclass(frozen=True, slots=True)
class Alignment:
    """The settings of the method."""

    alpha: float = 1.0  # strength of the bias; 0 changes nothing
    threshold: float = 5e-5  # lambda: a head is active when its mean attention from U to V_all is above it
    layers: str = "auto"  # decoder layers that take part: the middle third, "all", or "10-19"
    rule: BiasRule = PUBLISHED
    heads: frozenset[tuple[int, int]] | None = None  # (layer, head): the active heads, in place of layers and threshold
    max_heads: int | None = None  # limit per prompt: the heads with the largest means; see `AlignmentReport.capped`

    def layers_of(self, count: int) -> Sequence[int]:
        """The layers that take part in a decoder of `count` layers. Raises UsageError for layers it does not have."""
        if self.heads is None:
            return resolve_layers(self.layers, count)
        layers = sorted({layer for layer, _ in self.heads})
        if layers and layers[-1] >= count:
            raise UsageError(f"the chosen heads are in layers up to {layers[-1]}, the decoder has {count}")
        return layers

    def heads_of(self, layer: int) -> frozenset[int] | None:
        """The named active heads of a layer; None: those above the threshold."""
        return None if self.heads is None else frozenset(head for its_layer, head in self.heads if its_layer == layer)


@contextmanager
def aligned(
    model: Alignable,
    plans: AlignmentPlan | Sequence[AlignmentPlan],
    settings: Alignment | None = None,
    observer: Observer | None = None,
    observed: Sequence[Indices] | None = None,
    capped: Mapping[int, Tensor] | None = None,
) -> Iterator[AlignmentReport]:
    """Run the model's forward pass with aligned attention: `with aligned(model, plan): model.model(**inputs)`.

    `plans` are those of the batch's prompts, in order, with indices of the padded sequence (`AlignmentPlan.shifted`).
    `observer` sees the attention of all layers to V_all, or to the tokens `observed` (ascending, for each plan), which
    need memory in proportion to their number times that of the rows U and change nothing else.

    `settings.max_heads` has no effect here, since the largest means are known only after the last layer: run without a
    limit, and if `report.capped(max_heads)` is not None, run again with it as `capped`.

    The model's own attention is restored at the end, also after an error. Gradient checkpointing runs layers again in
    the backward pass, so that this pass belongs inside too.
    """
    settings = settings or Alignment()
    plans = [plans] if isinstance(plans, AlignmentPlan) else list(plans)
    modules = model.layers
    layers = settings.layers_of(len(modules))
    batch = PlanBatch.of(plans, next(modules[0].parameters()).device, observed)
    report = AlignmentReport()
    with decoder_attention(model, IMPLEMENTATION) as own:
        states = [
            LayerAlignment(
                layer=layer,
                takes_part=layer in layers,
                selection=HeadSelection(
                    threshold=settings.threshold,
                    named=settings.heads_of(layer) if layer in layers else frozenset(),
                    capped=None if capped is None else capped.get(layer),
                ),
                rule=settings.rule,
                alpha=settings.alpha,
                plans=batch,
                report=report,
                observer=observer,
                eager=own == "eager",
            )
            for layer in range(len(modules))
        ]
        with module_states(modules, states):
            yield report


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
    if state is not None and state.layer == 0:
        state.plans.clear_cache()
    queries = range(key.shape[2] - query.shape[2], key.shape[2])  # in the key sequence; the keys before are cached
    concerned = state is not None and state.concerns(queries)
    if state is None or not (concerned or state.eager):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
    if dropout:
        raise ValueError("aligned attention has no dropout: set the model's attention_dropout to 0")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    if concerned:
        plans = state.plans.masked(queries, attention_mask, query.dtype)
        mask = attention_mask if state.eager else plans.additive_mask
        output, lse = attend(query, key, value, mask, scale, eager=state.eager)
        output = correct_layer(output, LayerTensors(query, key, value, lse, scale), plans, state)
    else:
        output, _ = attend(query, key, value, attention_mask, scale, eager=True)
    return output.transpose(1, 2).contiguous(), None


AttentionInterface.register(IMPLEMENTATION, aligned_attention)
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)  # without it, transformers passes no mask at all
