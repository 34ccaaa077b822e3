"""(torch) A batch's plans under the queries and the attention mask of a layer: rows, and the pairs they see."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from socialcli.alignment.kernels import visible, visible_keys
from socialcli.alignment.rows.padding import PaddedIndices


@dataclass(frozen=True, slots=True, eq=False)
class ObservedColumns:
    """An observer's columns, where these are not the plans' own."""

    columns: PaddedIndices  # N of them, among the same keys as the plans' columns
    places: Tensor  # (B, C): where each column of the plan is among them; N where it is not

    def counted_from(self, first: int) -> ObservedColumns:
        """The same among keys that lack those before `first`."""
        return replace(self, columns=self.columns.counted_from(first))


@dataclass(frozen=True, slots=True, eq=False)
class MaskedPlans:
    """A batch's plans in the layers of one forward pass that share their queries and their mask."""

    mask: Tensor | None  # the layers' own, (B, 1 or Hq, Q, K) bool
    additive_mask: Tensor | None  # the same, to be added to the scores
    rows: PaddedIndices  # R of them, among the queries
    columns: PaddedIndices  # C of them, among the keys
    observed: ObservedColumns | None  # None: an observer sees the columns of the plans
    count: Tensor  # (B, 1): real rows whose attention selects heads, times real columns
    tested: Tensor | None  # (B, 1, R, 1): 1 for these rows, else 0; None: all of them
    alignable: Tensor  # (B, 1) bool: some row has a pair; else no head has anything to do
    hidden: Tensor | None  # (B, 1 or Hq, R, C): -inf where a row does not see a column, else 0; None: all see all
    pairs: Tensor  # (B, 1 or Hq, R, C) bool: pairs of rows and columns that they see
    weights: Tensor | None  # (B, 1, R, C): W = weight * the rule's bias; None: 1 on every pair
    paired_rows: Tensor  # (B, 1 or Hq, R, 1) bool: rows with such a pair
    key_counts: Tensor  # (B, 1 or Hq, R): how many keys each row sees, at least 1
    targets: tuple[Tensor, Tensor, Tensor] | None  # of real rows: prompt, slot, query (N,); None: `rows` has them all

    def heads(self, heads: slice) -> MaskedPlans:
        """The same for some of the query heads."""
        if self.mask is None or self.mask.shape[1] == 1:
            return self
        return replace(
            self,
            mask=self.mask[:, heads],
            hidden=None if self.hidden is None else self.hidden[:, heads],
            pairs=self.pairs[:, heads],
            paired_rows=self.paired_rows[:, heads],
            key_counts=self.key_counts[:, heads],
        )

    def write(self, output: Tensor, rows: Tensor) -> None:
        """Write `rows` (B, H, R, D) into `output` (B, H, Q, D), in place; padding is not written."""
        if self.targets is None:
            output.index_copy_(2, self.rows.index, rows)
        else:
            prompt, slot, query = self.targets
            output[prompt, :, query] = rows[prompt, :, slot]


def visible_columns(mask: Tensor | None, rows: PaddedIndices, columns: PaddedIndices, prompts: int) -> Tensor | None:
    """Which real columns each row sees, (B, 1 or Hq, R, C) bool; None where all see all.

    Columns precede the rows, or are keys of cross-attention, so that only a mask, a window or padding hides one. Padded
    rows see everything.
    """
    seen = None if mask is None else visible(mask, rows.expanded(prompts), columns.expanded(prompts))
    if columns.real is not None:
        real = columns.real[:, None, None, :]
        seen = real if seen is None else seen & real
    if seen is None:
        return None
    if rows.real is not None:
        seen = seen | ~rows.real[:, None, :, None]
    nothing_hidden = seen.device.type == "cpu" and bool(seen.all())  # on a GPU, the answer is not worth a sync
    return None if nothing_hidden else seen


def count_keys(mask: Tensor | None, rows: PaddedIndices, cached: int, prompts: int) -> Tensor:
    """How many keys each row sees, (B, 1 or Hq, R), at least 1: the count of a padded row does not matter.

    `cached` keys precede the first query; without a mask, a row sees all keys up to its own.
    """
    each = rows.expanded(prompts)
    if mask is None:
        return each[:, None] + cached + 1
    return visible_keys(mask, each).sum(dim=-1).clamp(min=1)
