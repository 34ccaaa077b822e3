"""(torch) The rows U of a batch's plans in one layer, taken from its queries, keys and values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from socialcli.alignment.kernels import row_lse
from socialcli.alignment.method import masked_scores
from socialcli.alignment.rows.masked_plans import MaskedPlans
from socialcli.alignment.rows.padding import PaddedIndices
from socialcli.alignment.rules import BiasRule, VisualScores


@dataclass(frozen=True, slots=True, eq=False)
class LayerTensors:
    """The tensors of one layer's attention, in the model's dtype; what is taken from them is float32 or wider."""

    query: Tensor  # (B, Hq, Q, D)
    key: Tensor  # (B, Hkv, K, D)
    value: Tensor  # (B, Hkv, K, D)
    lse: Tensor | None  # (B, Hq, Q); None where the kernel keeps it to itself
    scale: float

    @property
    def groups(self) -> int:
        """How many query heads share a key head."""
        return self.query.shape[1] // self.key.shape[1]

    @property
    def cached(self) -> int:
        """How many keys precede the first query."""
        return self.key.shape[2] - self.query.shape[2]

    def heads(self, heads: slice) -> LayerTensors:
        """The same for some query heads, whole groups or part of one group, and the key heads that they share."""
        key_heads = slice(heads.start // self.groups, (heads.stop - 1) // self.groups + 1)
        return replace(
            self,
            query=self.query[:, heads],
            key=self.key[:, key_heads],
            value=self.value[:, key_heads],
            lse=None if self.lse is None else self.lse[:, heads],
        )


@dataclass(frozen=True, slots=True, eq=False)
class LayerRows:
    """The rows U in one layer. A padded row has no attention: its `lse` is infinite."""

    layer: LayerTensors
    plans: MaskedPlans
    queries: Tensor  # (B, Hq, R, D)
    lse: Tensor  # (B, Hq, R): the log-sum-exp of all scores of the row

    @classmethod
    def of(cls, layer: LayerTensors, plans: MaskedPlans) -> LayerRows:
        """Take the plans' rows from the layer."""
        rows = plans.rows
        queries = widened(rows.take(layer.query))
        if layer.lse is None:
            each = rows.expanded(queries.shape[0])
            lse = row_lse(queries, each, widened(layer.key), plans.mask, layer.scale, layer.cached)
        else:
            lse = widened(rows.take(layer.lse.unsqueeze(-1)).squeeze(-1))
        if rows.real is not None:
            lse = torch.where(rows.real[:, None], lse, torch.inf)
        return cls(layer, plans, queries, lse)

    def scores(self, columns: PaddedIndices, hidden: Tensor | None) -> Tensor:
        """S towards `columns`, (B, Hq, R, C); `hidden` as in `masked_scores`."""
        return masked_scores(self.queries, widened(columns.take(self.layer.key)), self.layer.scale, hidden)

    def bias(self, scores: Tensor, rule: BiasRule, alpha: float) -> Tensor:
        """W, (B, Hq, R, 1 or C): 0 in rows without a pair and, where each pair has its own, beside the pairs.

        `scores` are those towards the plans' columns.
        """
        if self.plans.hidden is not None:  # in a row that sees no column, a maximum over -inf has NaN gradients
            blind = (self.plans.hidden == -torch.inf).all(dim=-1, keepdim=True)
            scores = scores.masked_fill(blind, 0.0)
        bias = rule.bias(VisualScores(scores, self.lse, self.plans.key_counts), alpha)
        bias = bias.expand(*scores.shape[:-1], bias.shape[-1])
        if self.plans.weights is not None:
            bias = self.plans.weights * bias
        return torch.where(self.plans.paired_rows if bias.shape[-1] == 1 else self.plans.pairs, bias, 0.0)


def widened(tensor: Tensor) -> Tensor:
    """The tensor in float32, unless it is float64."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()
