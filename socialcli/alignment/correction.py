"""(torch) The mathematics of the alignment in one layer: an exact correction of the few rows that change.

With S the scores, lse the log-sum-exp of a row and A = exp(S - lse) its attention, the plain output of row u is
out = sum_v A(u, v) value(v). Raising the pairs M(u) by a gain E >= 0 (see `BiasRule`) gives

    out'(u) = (out(u) + sum_{v in M(u)} E(u, v) value(v)) / (1 + sum_{v in M(u)} E(u, v))

which needs the scores of the rows U over the columns V_all alone: O(|U| |V_all| d) a head, and no L x L matrix. The
logit rule makes it softmax(S + W) exactly. The weights on the right, of out(u) and of each value(v), are the softmax of
(0, log E(u, .)), so that a large bias cannot overflow. The attention itself changes in the same way,
A' = (A + E) / (1 + sum E), also in columns without gain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from socialcli.alignment.batch import Placed, Places, WatchedColumns, seen_columns
from socialcli.alignment.kernels import additive, grouped_scores, grouped_sum, row_lse


@dataclass(frozen=True, slots=True, eq=False)
class LayerTensors:
    """What one layer's attention computes with; entries are taken from it in float32 (or wider)."""

    query: Tensor  # (B, Hq, Q, D)
    key: Tensor  # (B, Hkv, K, D)
    value: Tensor  # (B, Hkv, K, D)
    lse: Tensor | None  # (B, Hq, Q)
    scale: float

    def heads(self, heads: slice) -> LayerTensors:
        """The same of some query heads and the key heads that go with them: whole groups, or a part of one group."""
        groups = self.query.shape[1] // self.key.shape[1]
        of_key = slice(heads.start // groups, (heads.stop - 1) // groups + 1)
        return replace(
            self,
            query=self.query[:, heads],
            key=self.key[:, of_key],
            value=self.value[:, of_key],
            lse=None if self.lse is None else self.lse[:, heads],
        )


@dataclass(frozen=True, slots=True, eq=False)
class PlannedRows:
    """The rows U of a batch's plans in one layer. One that only fills up has no attention: its `lse` is infinite."""

    layer: LayerTensors
    placed: Placed
    queries: Tensor  # (B, Hq, R, D)
    lse: Tensor  # (B, Hq, R), of the scores

    @classmethod
    def of(cls, layer: LayerTensors, placed: Placed) -> PlannedRows:
        """Take the rows that `placed` names from the layer."""
        rows = placed.rows
        queries = _wide(rows.take(layer.query))
        if layer.lse is None:
            each = rows.each(queries.shape[0])
            cached = layer.key.shape[2] - layer.query.shape[2]
            lse = row_lse(queries, each, _wide(layer.key), placed.mask, layer.scale, cached)
        else:
            lse = _wide(rows.take(layer.lse.unsqueeze(-1)).squeeze(-1))
        if rows.real is not None:
            lse = torch.where(rows.real[:, None], lse, torch.inf)
        return cls(layer, placed, queries, lse)

    def scores(self, columns: Places, unseen: Tensor | None) -> Tensor:
        """S, (B, Hq, R, C), towards `columns`, with `unseen` added: -inf where a row does not see a column."""
        scores = grouped_scores(self.queries, _wide(columns.take(self.layer.key)), self.layer.scale)
        return scores if unseen is None else scores + unseen

    def attention(self, scores: Tensor) -> Tensor:
        """A = exp(S - lse), (B, Hq, R, C)."""
        return (scores - self.lse.unsqueeze(-1)).exp_()

    def watched(self, scores: Tensor, gain: Gain, chosen: WatchedColumns | None) -> tuple[Tensor, Tensor]:
        """The attention before and after `gain` in the columns that are watched, (B, Hq, R, N) each.

        `scores` are those of the plans' columns, which are watched where no others are `chosen`.
        """
        added = gain.added
        if chosen is not None:
            seen = seen_columns(self.placed.mask, self.placed.rows, chosen.columns, scores.shape[0])
            index = chosen.places[:, None, None, :].expand_as(added)
            scores = self.scores(chosen.columns, None if seen is None else additive(seen, scores.dtype))
            spread = scores.new_zeros(*scores.shape[:-1], scores.shape[-1] + 1)
            added = spread.scatter(-1, index, added)[..., :-1]  # the last place takes what is not watched
        attention = self.attention(scores)
        return attention, gain.mixed(attention, added)

    def correct(self, output: Tensor, gain: Gain) -> None:
        """Change these rows of the layer's `output` (B, Hq, Q, D), in place, to what they are after `gain`."""
        values = _wide(self.placed.columns.take(self.layer.value))
        before = _wide(self.placed.rows.take(output))
        fresh = gain.mixed(before, grouped_sum(gain.added, values))
        self.placed.write(output, fresh.to(output.dtype))


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """What becomes of rows that gain: 1 / (1 + sum E) and E / (1 + sum E), side by side."""

    weights: Tensor  # (B, Hq, R, 1 + C)
    active: Tensor | None  # (B, Hq) bool: the heads that change; None: all

    @classmethod
    def of(cls, log_gain: Tensor, active: Tensor | None = None) -> Gain:
        """From log E, (B, Hq, R, C), -inf where nothing is raised."""
        kept = log_gain.new_zeros(1).expand(*log_gain.shape[:-1], 1)
        return cls(torch.cat([kept, log_gain], dim=-1).softmax(dim=-1), active)

    @property
    def added(self) -> Tensor:
        """The weights of the columns, (B, Hq, R, C)."""
        return self.weights[..., 1:]

    def mixed(self, before: Tensor, added: Tensor) -> Tensor:
        """What `before` becomes where `added` is made with the weights `added`; both (B, Hq, R, anything)."""
        after = torch.addcmul(added, self.weights[..., :1], before)
        return after if self.active is None else torch.where(self.active[..., None, None], after, before)


def active_heads(attention: Tensor, pairs: Tensor, threshold: float) -> Tensor:
    """Which heads ground words in the picture (B, H): mean attention from U to V_all above `threshold`.

    `attention` is (B, H, R, C), 0 in rows and columns that only fill up; `pairs` (B, 1) counts the others, rows times
    columns. A prompt without any has no active head.
    """
    return attention.sum(dim=(-1, -2)) / pairs > threshold  # 0 / 0 is above nothing


def _wide(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()
