"""(torch) The mathematics of the alignment in one layer: an exact correction of the few rows that change.

With S the scores, lse the log-sum-exp of a row and A = exp(S - lse) its attention, the plain output of row u is
out = sum_v A(u, v) value(v). A bias W on the pairs M(u), A' = softmax(S + W), adds E = A * (exp(W) - 1) to their mass:

    out'(u) = (out(u) + sum_{v in M(u)} E(u, v) value(v)) / (1 + sum_{v in M(u)} E(u, v))

which needs the scores of the rows U over the columns V_all alone: O(|U| |V_all| d) a head, and no L x L matrix. The
attention itself changes in the same way, A' = (A + E) / (1 + sum E), also in columns without a bias. All terms are
scaled by exp(-c), c = max(0, max over M(u) of S - lse + W), so that a large bias cannot overflow.

A negative W takes mass away, and where it takes most of a row, what is left is the small difference of two large
numbers. Rows that lose more than half of their mass are therefore computed afresh, from all their keys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from socialcli.alignment.batch import Placed, Places, WatchedColumns, seen_columns
from socialcli.alignment.kernels import additive, grouped_scores, grouped_sum, row_lse
from socialcli.alignment.rules import BiasRule, VisualScores

SCORES_AT_ONCE = 2**22  # in `compute_afresh`: 16 MiB in float32


@dataclass(frozen=True, slots=True, eq=False)
class LayerTensors:
    """What one layer's attention computes with; entries are taken from it in float32 (or wider)."""

    query: Tensor  # (B, Hq, Q, D)
    key: Tensor  # (B, Hkv, K, D)
    value: Tensor  # (B, Hkv, K, D)
    lse: Tensor | None  # (B, Hq, Q)
    scale: float

    @property
    def groups(self) -> int:
        """How many query heads share a key head."""
        return self.query.shape[1] // self.key.shape[1]

    @property
    def cached(self) -> int:
        """How many keys stand before the first query."""
        return self.key.shape[2] - self.query.shape[2]

    def heads(self, heads: slice) -> LayerTensors:
        """The same of some query heads and the key heads that go with them: whole groups, or a part of one group."""
        of_key = slice(heads.start // self.groups, (heads.stop - 1) // self.groups + 1)
        return replace(
            self,
            query=self.query[:, heads],
            key=self.key[:, of_key],
            value=self.value[:, of_key],
            lse=None if self.lse is None else self.lse[:, heads],
        )


@dataclass(frozen=True, slots=True, eq=False)
class PlannedRows:
    """The rows U of a batch's plans in one layer. One that only pads has no attention: its `lse` is infinite."""

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
            lse = row_lse(queries, each, _wide(layer.key), placed.mask, layer.scale, layer.cached)
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

    def bias(self, scores: Tensor, rule: BiasRule, alpha: float) -> Tensor:
        """W, (B, Hq, R, 1 or C): 0 in rows without a pair, and where it has a value for each pair, beside the pairs."""
        if self.placed.unseen is not None:  # a row that sees no column: of nothing but -inf, gradients become NaN
            blind = (self.placed.unseen == -torch.inf).all(dim=-1, keepdim=True)
            scores = scores.masked_fill(blind, 0.0)
        bias = rule.bias(VisualScores(scores, self.lse, self.placed.keys), alpha)
        bias = bias.expand(*scores.shape[:-1], bias.shape[-1])
        return torch.where(self.placed.biased_rows if bias.shape[-1] == 1 else self.placed.biased, bias, 0.0)

    def change(self, scores: Tensor, bias: Tensor, active: Tensor | None) -> RowChange:
        """What becomes of the rows under `bias`, as `bias()` gives it, in the `active` heads (B, Hq); None: in all."""
        raised = (scores + (bias.clamp(min=0) - self.lse.unsqueeze(-1))).masked_fill_(~self.placed.biased, -torch.inf)
        shift = raised.amax(dim=-1, keepdim=True).clamp(min=0)
        # exp(W) - 1, over exp(W) where W > 0: `raised` has this factor already
        gain = torch.where(bias > 0, -torch.expm1(-bias.abs()), torch.expm1(-bias.abs()))
        added, kept = (raised - shift).exp_() * gain, (-shift).exp()
        total = added.sum(dim=-1, keepdim=True)
        mass = kept + total
        lost = -(total if bias.shape[-1] == 1 else added.clamp(max=0).sum(dim=-1, keepdim=True))
        losing = lost > mass  # more than half of the mass that there was, and was added
        if active is not None:
            losing = losing & active[..., None, None]
        mass = torch.where(losing, 1.0, mass)  # those rows do without it, and it could be 0
        return RowChange(kept / mass, added / mass, losing.squeeze(-1), active)

    def correct(self, output: Tensor, change: RowChange, afresh: FreshRows | None) -> None:
        """Change these rows of the layer's `output` (B, Hq, Q, D), in place."""
        values = _wide(self.placed.columns.take(self.layer.value))
        before = _wide(self.placed.rows.take(output))
        after = change.mixed(before, grouped_sum(change.added, values))
        if afresh is not None:
            after = after.index_put(afresh.index, afresh.output)
        self.placed.write(output, after.to(output.dtype))

    def watched(
        self, scores: Tensor, bias: Tensor, change: RowChange, afresh: FreshRows | None, chosen: WatchedColumns | None
    ) -> tuple[Tensor, Tensor]:
        """The attention before and after the change in the columns that are watched, (B, Hq, R, N) each.

        `scores` and `bias` are those of the plans' columns, which are watched where no others are `chosen`.
        """
        bias, added = torch.where(self.placed.biased, bias, 0.0), change.added
        if chosen is not None:
            seen = seen_columns(self.placed.mask, self.placed.rows, chosen.columns, scores.shape[0])
            scores = self.scores(chosen.columns, None if seen is None else additive(seen, scores.dtype))
            bias, added = (_spread(part, chosen.places, scores.shape[-1]) for part in (bias, added))
        before = self.attention(scores)
        after = change.mixed(before, added)
        if afresh is not None:
            exact = (scores + bias)[afresh.index] - afresh.lse.unsqueeze(-1)
            after = after.index_put(afresh.index, exact.exp())
        return before, after


@dataclass(frozen=True, slots=True, eq=False)
class RowChange:
    """What becomes of rows under a bias: 1 / (1 + sum E), and E / (1 + sum E)."""

    kept: Tensor  # (B, Hq, R, 1)
    added: Tensor  # (B, Hq, R, C); below 0 where mass is taken away
    losing: Tensor  # (B, Hq, R) bool: rows that lose too much for the above, and are to be computed afresh
    active: Tensor | None  # (B, Hq) bool: the heads that change; None: all

    def mixed(self, before: Tensor, added: Tensor) -> Tensor:
        """What `before` becomes where `added` is made with the weights `added`; both (B, Hq, R, anything)."""
        after = torch.addcmul(added, self.kept, before)
        return after if self.active is None else torch.where(self.active[..., None, None], after, before)


@dataclass(frozen=True, slots=True, eq=False)
class FreshRows:
    """N rows under a bias, computed from all of their keys."""

    index: tuple[Tensor, Tensor, Tensor]  # prompt, head and slot among the rows U, (N,) each
    output: Tensor  # (N, D)
    lse: Tensor  # (N,): the log-sum-exp of S + W


def compute_afresh(rows: PlannedRows, which: Tensor, bias: Tensor) -> FreshRows:
    """The rows `which` (B, Hq, R), bool and not all False, under `bias`, as `PlannedRows.bias` gives it.

    Memory: a few million scores at a time, and copies of no keys but those of one head.
    """
    layer, heads = rows.layer, rows.layer.key.shape[1]
    index = prompt, head, slot = which.nonzero(as_tuple=True)  # ordered: the rows of a key head stand together
    together = prompt * heads + head // layer.groups
    counts = torch.bincount(together, minlength=which.shape[0] * heads).tolist()
    wanted = torch.split(torch.stack(index), counts, dim=1)
    done = [
        _softmax_of(rows, divmod(number, heads), part[1], part[2], bias)
        for number, chosen in enumerate(wanted)
        for part in torch.split(chosen, max(1, SCORES_AT_ONCE // layer.key.shape[2]), dim=1)
        if part.numel()
    ]
    outputs, sums = zip(*done, strict=True)
    return FreshRows((prompt, head, slot), torch.cat(outputs), torch.cat(sums))


def _softmax_of(
    rows: PlannedRows, place: tuple[int, int], head: Tensor, slot: Tensor, bias: Tensor
) -> tuple[Tensor, Tensor]:
    """Output (N, D) and log-sum-exp (N,) of N rows that share a prompt and a key head: `place`."""
    layer, placed, (prompt, group) = rows.layer, rows.placed, place
    key, value = (_wide(part[prompt, group]) for part in (layer.key, layer.value))
    scores = (rows.queries[prompt, head, slot] * layer.scale) @ key.T
    query = placed.rows.of(prompt)[slot]
    if placed.mask is None:
        hidden = torch.arange(key.shape[0], device=key.device) > query[:, None] + layer.cached
    else:
        mask = placed.mask[min(prompt, placed.mask.shape[0] - 1)]
        hidden = ~mask[head if mask.shape[0] > 1 else torch.zeros_like(head), query]
    pairs = placed.biased[prompt]
    biased = pairs[head if pairs.shape[0] > 1 else torch.zeros_like(head), slot]
    weights = torch.where(biased, bias[prompt, head, slot], 0.0)
    columns = placed.columns.of(prompt)
    scores = scores.masked_fill(hidden, -torch.inf).index_add(1, columns, weights)
    lse = scores.logsumexp(dim=-1)
    return (scores - lse.unsqueeze(-1)).exp() @ value, lse


def mean_attention(attention: Tensor, pairs: Tensor) -> Tensor:
    """Step 1 of the method: the mean attention of U to V_all in each head, (B, H).

    `attention` is (B, H, R, C), 0 in rows and columns that only pad; `pairs` (B, 1) counts the others, rows times
    columns. NaN, which is above no threshold, for a prompt without any.
    """
    return attention.sum(dim=(-1, -2)) / pairs


def _spread(part: Tensor, places: Tensor, width: int) -> Tensor:
    """`part` (B, H, R, C) in `width` columns: its column c where `places` (B, C) says, and not at all at `width`."""
    index = places[:, None, None, :].expand_as(part)
    return part.new_zeros(*part.shape[:-1], width + 1).scatter(-1, index, part)[..., :-1]


def _wide(tensor: Tensor) -> Tensor:
    return tensor if tensor.dtype == torch.float64 else tensor.float()
