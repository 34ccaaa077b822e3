"""(torch) The correction of a layer's output: some heads at a time, and only the rows that change.

On a CPU, slices of heads without an active one are skipped. On a GPU that would cost a sync, since the host waits for
every value that it reads; there, the inactive heads are computed too and dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from socialcli.alignment.heads.selection import HeadSelection
from socialcli.alignment.kernels import grouped_sum
from socialcli.alignment.method import RowMix, mixed_rows, row_mix
from socialcli.alignment.report import AlignmentReport, LayerReport
from socialcli.alignment.rows.layer_rows import LayerRows, LayerTensors, widened
from socialcli.alignment.rows.masked_plans import MaskedPlans
from socialcli.alignment.rows.observation import Observer, observed_attention
from socialcli.alignment.rows.plan_batch import PlanBatch
from socialcli.alignment.rows.recomputed import RecomputedRows, recompute
from socialcli.alignment.rules import BiasRule

ENTRIES_AT_ONCE = {"cpu": 2**19, "gpu": 2**25}  # scores in memory at once


@dataclass(frozen=True, slots=True, eq=False)
class LayerAlignment:
    """The alignment of one decoder layer: its attention module carries it while it is aligned."""

    layer: int
    takes_part: bool  # False: only observed
    selection: HeadSelection
    rule: BiasRule
    alpha: float
    plans: PlanBatch
    report: AlignmentReport
    observer: Observer | None
    eager: bool  # the model's own attention is the eager one
    cross: bool = False  # the keys are the visual tokens alone: cross-attention

    def concerns(self, queries: range) -> bool:
        """Whether there is something to do for `queries`, indices in the sequence."""
        return (self.takes_part or self.observer is not None) and self.plans.has_rows_in(queries)


def correct_layer(output: Tensor, layer: LayerTensors, plans: MaskedPlans, state: LayerAlignment) -> Tensor:
    """Correct the plans' rows of `output` (B, Hq, Q, D) in the active heads; in place unless it needs gradients."""
    if output.requires_grad:
        output = output.clone()
    report = LayerReport.of(output)
    for heads in _head_slices(output, layer, state):
        _correct_heads(output[:, heads], layer.heads(heads), plans.heads(heads), heads, state, report)
    if state.takes_part:
        state.report.layers[state.layer] = report
    return output


def _head_slices(output: Tensor, layer: LayerTensors, state: LayerAlignment) -> Iterator[slice]:
    """The query heads to compute: all of them, or the range of the named ones.

    Few at a time, so that their scores stay small beside the model's own memory; an observer, or an output that needs
    gradients, gets all heads at once.
    """
    heads, groups, named = layer.query.shape[1], layer.groups, state.selection.named
    entries = ENTRIES_AT_ONCE["cpu" if output.device.type == "cpu" else "gpu"]
    together = max(1, entries // (state.plans.pairs.numel() * groups)) * groups
    if state.observer is not None or output.requires_grad:
        together = heads
    needed = range(heads) if named is None or state.observer is not None else sorted(named)
    for start in range(0, heads, together):
        inside = [head for head in needed if start <= head < start + together]
        if inside:
            first, last = inside[0], inside[-1]
            if first // groups != last // groups:  # more than one group: `LayerTensors.heads` takes whole ones
                first, last = first // groups * groups, last // groups * groups + groups - 1
            yield slice(first, last + 1)


def _correct_heads(
    output: Tensor, layer: LayerTensors, plans: MaskedPlans, heads: slice, state: LayerAlignment, report: LayerReport
) -> None:
    """Correct the plans' rows in the `output` of some heads, in place, and add them to `report`."""
    rows = LayerRows.of(layer, plans)
    scores = rows.scores(plans.columns, plans.hidden)
    active, means = state.selection.select(scores, rows.lse, plans, heads)
    report.record_heads(heads, active, means)
    on_cpu = output.device.type == "cpu"
    if on_cpu and state.observer is None and not active.any():
        return
    bias = rows.bias(scores, state.rule, state.alpha)
    mix = row_mix(scores, rows.lse, bias, plans.pairs)
    changing = None if on_cpu and active.all() else active
    cancelling = mix.cancelling if changing is None else mix.cancelling & changing[..., None]
    recomputed = recompute(rows, cancelling, bias) if cancelling.any() else None
    if state.observer is not None:
        seen = observed_attention(rows, scores, bias, mix, changing, recomputed)
        state.observer(state.layer, *seen, active)
    if state.takes_part:
        _write_rows(output, rows, mix, changing, recomputed)
        signed = bias if plans.weights is None else bias * plans.weights  # as the rule has it: a weight may be negative
        report.record_rows(plans.paired_rows & active[..., None, None], (signed < 0).any(dim=-1) & active[..., None])


def _write_rows(
    output: Tensor, rows: LayerRows, mix: RowMix, active: Tensor | None, recomputed: RecomputedRows | None
) -> None:
    """Replace the rows of `output` (B, Hq, Q, D) by the corrected ones, in place."""
    values = widened(rows.plans.columns.take(rows.layer.value))
    plain = widened(rows.plans.rows.take(output))
    corrected = mixed_rows(plain, grouped_sum(mix.added, values), mix.kept, active)
    if recomputed is not None:
        corrected = corrected.index_put(recomputed.index, recomputed.output)
    rows.plans.write(output, corrected.to(output.dtype))
