"""(torch) The mathematics of the alignment in one layer: an exact correction of the few rows that change.

With S the scores, lse the log-sum-exp of a row and A = exp(S - lse) its attention, the plain output of row u is
out = sum_v A(u, v) value(v). Raising the pairs M(u) by a gain E >= 0 (see `BiasRule`) gives

    out'(u) = (out(u) + sum_{v in M(u)} E(u, v) value(v)) / (1 + sum_{v in M(u)} E(u, v))

which needs the scores of the rows U over the columns V_all alone: O(|U| |V_all| d) a head, and no L x L matrix. The
logit rule makes it softmax(S + W) exactly. Everything is scaled by exp(-c), c = max(0, max log E), so that a large bias
cannot overflow. The attention itself changes in the same way, A' = (A + E) / (1 + sum E), also in columns without gain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from socialcli.alignment.batch import PlanBatch
from socialcli.alignment.kernels import grouped_scores, grouped_sum, row_lse, visible


@dataclass(frozen=True, slots=True, eq=False)
class LayerTensors:
    """What one layer's attention computes with; entries are taken from it in float32 (or wider)."""

    query: Tensor  # (B, Hq, Q, D)
    key: Tensor  # (B, Hkv, K, D)
    value: Tensor  # (B, Hkv, K, D)
    mask: Tensor | None
    lse: Tensor | None  # (B, Hq, Q)
    scale: float
    places: range  # of the queries among the keys

    def heads(self, first: int, end: int) -> LayerTensors:
        """The same of the key heads [first, end) and the query heads that go with them."""
        groups = self.query.shape[1] // self.key.shape[1]
        query = slice(first * groups, end * groups)
        return replace(
            self,
            query=self.query[:, query],
            key=self.key[:, first:end],
            value=self.value[:, first:end],
            mask=self.mask if self.mask is None or self.mask.shape[1] == 1 else self.mask[:, query],
            lse=None if self.lse is None else self.lse[:, query],
        )


@dataclass(frozen=True, slots=True, eq=False)
class PlannedRows:
    """The rows U of a batch's plans in one layer, which are (B, R); those that are not real here hold anything."""

    layer: LayerTensors
    plans: PlanBatch
    real: Tensor  # (B, R) bool: neither filled up nor outside the layer's queries
    place: Tensor  # (B, R) among the queries
    queries: Tensor  # (B, Hq, R, D)
    lse: Tensor  # (B, Hq, R), of the scores

    @classmethod
    def of(cls, layer: LayerTensors, plans: PlanBatch) -> PlannedRows:
        """Take the rows of `plans` from the layer."""
        real = plans.among(layer.places)
        place = torch.where(real, plans.rows - layer.places.start, 0)
        queries = _take(layer.query, place)
        if layer.lse is None:
            lse = row_lse(queries, place, _wide(layer.key), layer.mask, layer.scale, layer.places.start)
        else:
            lse = _take(layer.lse.unsqueeze(-1), place).squeeze(-1)
        return cls(layer, plans, real, place, queries, lse)

    def scores(self, columns: Tensor, real: Tensor) -> Tensor:
        """S, (B, Hq, R, C), towards `columns` (B, C); -inf where a column is not `real` (B, C) or not to be seen."""
        layer = self.layer
        scores = grouped_scores(self.queries, _take(layer.key, columns), layer.scale)
        seen = real[:, None, None, :]
        if layer.mask is not None:  # a layer with a sliding window does not see all that stands before
            seen = seen & visible(layer.mask, self.place, columns)
        return scores.masked_fill(~seen, -math.inf)

    def attention(self, scores: Tensor) -> Tensor:
        """A = exp(S - lse), (B, Hq, R, C)."""
        return torch.exp(scores - self.lse.unsqueeze(-1))

    def watched(self, attention: Tensor, gain: Gain) -> tuple[Tensor, Tensor]:
        """The attention before and after `gain` in the columns that are watched, (B, Hq, R, N) each.

        `attention` is that to the plans' columns, which are watched where no others are chosen.
        """
        chosen, spread = self.plans.watched, gain.gain
        if chosen is not None:
            attention = self.attention(self.scores(chosen.columns, chosen.real))
            index = chosen.places[:, None, None, :].expand_as(spread)
            spread = attention.new_zeros(*attention.shape[:-1], attention.shape[-1] + 1)
            spread = spread.scatter(-1, index, gain.gain)[..., :-1]  # the last place takes what is not watched
        return attention, gain.mixed(attention, spread)

    def corrected(self, output: Tensor, gain: Gain) -> Tensor:
        """The layer's `output` (B, Hq, Q, D) with these rows after `gain`; changed in place where nothing learns."""
        added = grouped_sum(gain.gain, _take(self.layer.value, self.plans.columns))
        prompt, slot, place = self.plans.entries(self.layer.places)
        fresh = gain.mixed(_take(output, self.place), added)[prompt, :, slot].to(output.dtype)
        if output.requires_grad or fresh.requires_grad:
            output = output.clone()
        output[prompt, :, place] = fresh
        return output


@dataclass(frozen=True, slots=True, eq=False)
class Gain:
    """The gain E of rows over their columns, scaled by exp(-c) against overflow."""

    gain: Tensor  # (B, Hq, R, C), exp(log E - c)
    rest: Tensor  # (B, Hq, R, 1), exp(-c): the weight of what was there before

    @classmethod
    def of(cls, log_gain: Tensor) -> Gain:
        """From log E, (B, Hq, R, C), -inf where nothing is raised."""
        ceiling = log_gain.detach().amax(dim=-1, keepdim=True).clamp(min=0)
        return cls(torch.exp(log_gain - ceiling), torch.exp(-ceiling))

    def mixed(self, before: Tensor, added: Tensor) -> Tensor:
        """(before + added) / (1 + sum E), where `added` is made with this `gain`; both (B, Hq, R, anything)."""
        return (self.rest * before + added) / (self.rest + self.gain.sum(-1, keepdim=True))


def active_heads(attention: Tensor, rows: Tensor, columns: Tensor, threshold: float) -> Tensor:
    """Which heads ground words in the picture (B, H): mean attention from U to V_all above `threshold`.

    `attention` is (B, H, R, C); `rows` (B, R) and `columns` (B, C) tell the real ones from those that only fill up. A
    prompt without rows or columns has no active head.
    """
    # Filled with 0, not multiplied by it: where a row only fills up, its attention may not be a number.
    total = attention.masked_fill(~rows[:, None, :, None], 0).sum(dim=(-1, -2))
    pairs = (rows.sum(dim=-1) * columns.sum(dim=-1)).unsqueeze(-1)
    return (total > threshold * pairs) & (pairs > 0)


def _take(tensor: Tensor, index: Tensor) -> Tensor:
    """The entries `index` (B, N) along the sequence of `tensor` (B, H, L, D), wide enough to compute with."""
    shape = (-1, tensor.shape[1], -1, tensor.shape[3])
    return _wide(tensor.gather(2, index[:, None, :, None].expand(shape)))


def _wide(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()
