"""(torch) Run a question through a model with and without the alignment, and trace its words' attention."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from socialcli.alignment.attention import Alignment, AlignmentReport
from socialcli.alignment.attention_maps import AttentionTrace
from socialcli.alignment.hooks import layers_of, visual_layers
from socialcli.alignment.layers import DecoderLayers
from socialcli.errors import ModelError
from socialcli.inference.attention_pass import observe
from socialcli.inference.clip import ClipQuestion
from socialcli.models.contract import Adapter
from socialcli.verbs.inspect.heads import HeadQuery, Heads, layers_named
from socialcli.verbs.inspect.maps import AttentionMaps, Map
from socialcli.verbs.inspect.report import InspectedUtterance, Inspection
from socialcli.verbs.inspect.text import steering_named

PLAIN = Alignment(heads=frozenset())  # no heads: the model's own attention in every layer


@dataclass(frozen=True, slots=True)
class AttentionQuery:
    """The utterances whose attention to show, and the alignment."""

    alignment: Alignment
    heads: HeadQuery
    utterances: frozenset[str] = frozenset()  # ids; empty: all

    def check(self, adapter: Adapter) -> None:
        """Raise UsageError for layers and heads that the model's decoder does not have."""
        self.alignment.layers_of(layers_of(adapter))
        self.heads.named(*_shown(adapter))

    def lines(self, inspection: Inspection) -> list[InspectedUtterance]:
        """The requested utterances whose words are rows of the plan."""
        rows = set() if inspection.plan is None else set(inspection.plan.rows.tolist())
        biased = [line for line in inspection.utterances if line.tokens and rows.issuperset(line.tokens)]
        return [line for line in biased if not self.utterances or line.id in self.utterances]


def attention_maps(asked: ClipQuestion, inspection: Inspection, query: AttentionQuery) -> tuple[AttentionMaps, ...]:
    """Where the words of each chosen utterance look; nothing without video. Raises ModelError for what is no number."""
    lines, grid, plan = query.lines(inspection), inspection.grid, inspection.plan
    if grid is None or plan is None or not lines:
        return ()
    adapter, alignment = asked.clip.adapter, query.alignment
    layers = alignment.layers_of(layers_of(adapter))
    shown = query.heads.choose(*_shown(adapter), layers, _active(observe(adapter, [asked], alignment)))
    columns = grid.shown

    def traced(setting: Alignment) -> Map:
        """The maps of all lines under a setting, (lines, steps, height, width)."""
        trace = AttentionTrace(plan, [line.tokens for line in lines], columns, shown.heads)
        observe(adapter, [asked], setting, trace.observe, [columns])
        means = _finite(trace.means())[:, np.searchsorted(columns, grid.tokens.clip(min=columns[0]))]
        return np.where(grid.tokens >= 0, means, 0.0)

    plain, aligned = traced(replace(PLAIN, steering=alignment.steering)), traced(alignment)
    name = (
        f"{layers_named(layers)}, {steering_named(alignment.steering)}, {alignment.rule.name} bias, "
        f"alpha {alignment.alpha:g}, lambda {alignment.threshold:g}"
    )
    return tuple(AttentionMaps(line, shown, name, plain[place], aligned[place]) for place, line in enumerate(lines))


def _finite(attention: Map) -> Map:
    if not np.isfinite(attention).all():
        raise ModelError("the model's attention has values that are not finite; try --dtype float32")
    return attention


def _shown(adapter: Adapter) -> tuple[DecoderLayers, int]:
    """The layers that have attention to visual tokens, and the number of heads of each."""
    heads = int(adapter.model.config.get_text_config().num_attention_heads)
    return DecoderLayers(len(adapter.layers), visual_layers(adapter)), heads


def _active(report: AlignmentReport) -> Heads:
    """The active heads of a batch of one prompt."""
    return frozenset(
        (layer, head) for layer, done in report.layers.items() for (head,) in done.active[0].nonzero().tolist()
    )
