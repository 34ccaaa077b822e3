"""(torch) The first pass: where the words of one speaker look when they stand alone behind the clip's visual prefix.

Nothing is biased and nothing is generated. The prompt is `speaker_prompt`. Each speaker's goes through the model by
itself, so that its attention, to the last bit, does not depend on what else is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from socialcli.alignment.attention import Alignment, AlignmentReport, aligned
from socialcli.alignment.attention_maps import AttentionTrace
from socialcli.alignment.grid import VisualGrid
from socialcli.alignment.plan import AlignmentPlan, Indices
from socialcli.alignment.regions.cells import Attention
from socialcli.alignment.regions.sources import GroundingHeads
from socialcli.errors import ModelError
from socialcli.inference.prefix import Prefix, continued_cache, room_for, run_step, step_of
from socialcli.models.contract import Adapter, EncodedClip, EncodedPrompt
from socialcli.tasks.prompt import speaker_prompt


def word_attention(
    adapter: Adapter,
    clip: EncodedClip,
    prefix_of: Callable[[EncodedPrompt], Prefix],
    lines: Sequence[str],
    heads: GroundingHeads,
) -> Attention | None:
    """The attention of a speaker's `lines`, each a label and words, to every cell: (steps, height, width).

    It is the mean over the lines, over the tokens of each, and over the active heads: those that `heads` selects with
    all visual tokens for V_all. None if no head is active. Raises PromptError for lines that the model cannot take, and
    ModelError for attention that is no number.
    """
    text, characters = speaker_prompt(lines)
    encoded = adapter.encode_prompt(text, characters, clip)
    grid = encoded.grid
    spans = [span for span in encoded.token_spans if span.size]
    if grid is None or not spans:
        return None
    plan = _plan(spans, grid)
    alignment = Alignment(
        alpha=0.0,
        threshold=heads.threshold,
        layers=heads.layers,
        heads=heads.heads,
        max_heads=heads.max_heads,
        selector=heads.selector,
        seed=heads.seed,
    )
    trace = _traced(adapter, encoded, prefix_of(encoded), plan, spans, alignment)
    if not trace.count:
        return None
    attention = trace.means().mean(axis=0)
    if not np.isfinite(attention).all():
        raise ModelError("the model's attention has values that are not finite; try --dtype float32")
    places = np.searchsorted(plan.columns, grid.tokens.clip(min=plan.columns[0]))
    return np.where(grid.tokens >= 0, attention[places], 0.0)


def _plan(spans: Sequence[Indices], grid: VisualGrid) -> AlignmentPlan:
    """All words towards all visual tokens: with alpha 0 it biases nothing, and every head can be active."""
    rows, columns = np.unique(np.concatenate(spans)), grid.shown
    pairs = np.ones((rows.size, columns.size), dtype=np.bool_)
    return AlignmentPlan(rows, columns, pairs, ~pairs, cross_attention=grid.cross_attention)


def _traced(
    adapter: Adapter,
    encoded: EncodedPrompt,
    prefix: Prefix,
    plan: AlignmentPlan,
    spans: Sequence[Indices],
    alignment: Alignment,
) -> AttentionTrace:
    """The attention in the active heads; a selector that needs the means of all layers takes a second run."""
    step = step_of(adapter, [prefix], [encoded], prefix.length)

    def run(chosen: Mapping[int, Tensor] | None = None) -> tuple[AttentionTrace, AlignmentReport]:
        trace = AttentionTrace(plan, spans, plan.columns)
        with torch.inference_mode(), aligned(adapter, plan, alignment, trace.observe, chosen=chosen) as report:
            run_step(adapter, step, continued_cache(adapter, [prefix], room_for(step)))
        return trace, report

    trace, report = run()
    chosen = report.chosen(alignment.selector, alignment.max_heads) if alignment.may_repeat else None
    return trace if chosen is None else run(chosen)[0]
