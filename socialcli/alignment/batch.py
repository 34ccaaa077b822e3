"""(torch) The plans of a batch of prompts as tensors, short ones filled up, and where a forward's layers meet them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from socialcli.alignment.kernels import additive, visible, visible_keys
from socialcli.alignment.plan import AlignmentPlan, Indices

MASKS_KEPT = 2  # a decoder's layers have one mask, or two where some of them see a window alone


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """N places along the sequence for each prompt of a batch; some may only fill up."""

    index: Tensor  # (N,) where all prompts have the same, which is quicker to take; else (B, N)
    real: Tensor | None  # (B, N) bool; None: all are

    @classmethod
    def stacked(cls, index: Indices, real: npt.NDArray[np.bool_], device: torch.device) -> Places:
        """From arrays (B, N)."""
        shared = bool((index == index[0]).all())
        return cls(
            index=_tensor(index[0] if shared else index, device),
            real=None if real.all() else _tensor(real, device),
        )

    def take(self, tensor: Tensor) -> Tensor:
        """The entries of `tensor` (B, H, L, D) at these places, (B, H, N, D)."""
        if self.index.dim() == 1:
            return tensor.index_select(2, self.index)
        prompt = torch.arange(tensor.shape[0], device=tensor.device)[:, None, None]
        head = torch.arange(tensor.shape[1], device=tensor.device)[:, None]
        return tensor[prompt, head, self.index[:, None]]

    def of(self, prompt: int) -> Tensor:
        """The places of one prompt, (N,)."""
        return self.index if self.index.dim() == 1 else self.index[prompt]

    def each(self, prompts: int) -> Tensor:
        """The places of each of that many prompts, (B, N)."""
        return self.index.expand(prompts, -1)


@dataclass(frozen=True, slots=True, eq=False)
class WatchedColumns:
    """Columns of a watcher's own choice."""

    columns: Places  # N of them, in the key sequence
    places: Tensor  # (B, C) where each column of the plan is among them; N where it is not


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A batch's plans as the layers of one forward meet them, which have their queries and their mask in common."""

    mask: Tensor | None  # that of the layers, (B, 1 or Hq, Q, K) bool
    bias: Tensor | None  # the same, to be added to the scores
    rows: Places  # R of them, among the queries
    columns: Places  # C of them, among the keys
    pairs: Tensor  # (B, 1) how many real rows times columns there are
    alignable: Tensor  # (B, 1) bool: some row has a pair; else no head has anything to do
    unseen: Tensor | None  # (B, 1 or Hq, R, C) -inf where a row does not see a column, else 0; None: all see all
    biased: Tensor  # (B, 1 or Hq, R, C) bool: the pairs of rows and columns that they see
    biased_rows: Tensor  # (B, 1 or Hq, R, 1) bool: the rows with such a pair
    keys: Tensor  # (B, 1 or Hq, R) how many keys each row sees, at least 1
    written: tuple[Tensor, Tensor, Tensor] | None  # of the real rows: prompt, slot, place (N,); None: `rows` says it

    def heads(self, heads: slice) -> Placed:
        """The same for some of the query heads."""
        if self.mask is None or self.mask.shape[1] == 1:
            return self
        return replace(
            self,
            mask=self.mask[:, heads],
            unseen=None if self.unseen is None else self.unseen[:, heads],
            biased=self.biased[:, heads],
            biased_rows=self.biased_rows[:, heads],
            keys=self.keys[:, heads],
        )

    def write(self, output: Tensor, fresh: Tensor) -> None:
        """Put `fresh` (B, H, R, D) into the real rows of `output` (B, H, Q, D)."""
        if self.written is None:
            output.index_copy_(2, self.rows.index, fresh)
        else:
            prompt, slot, place = self.written
            output[prompt, :, place] = fresh[prompt, :, slot]


@dataclass(frozen=True, slots=True, eq=False)
class PlanBatch:
    """The plans of a batch, short ones filled up: row i of prompt b is real where `real_rows[b, i]`."""

    rows: Indices  # (B, R) in the key sequence
    real_rows: npt.NDArray[np.bool_]  # (B, R)
    columns: Places  # C of them, in the key sequence
    real_columns: npt.NDArray[np.bool_]  # (B, C)
    pairs: Tensor  # (B, R, C) bool, none of what fills up
    span: range  # from the first row of all prompts to the last; empty: there is nothing to do
    watched: WatchedColumns | None  # None: a watcher sees the columns of the plans
    met: dict[tuple[range, int, torch.dtype], Placed] = field(default_factory=dict)  # see `placed`

    @classmethod
    def of(
        cls, plans: Sequence[AlignmentPlan], device: torch.device, watched: Sequence[Indices] | None = None
    ) -> PlanBatch:
        """Stack `plans`, whose indices count from the start of the padded sequence.

        `watched` are columns for a watcher, ascending ones for each plan; rows are then met also without `columns`.
        """
        rows, real_rows = _stacked([plan.rows for plan in plans])
        columns, real_columns = _stacked([plan.columns for plan in plans])
        pairs = np.zeros((len(plans), rows.shape[1], columns.shape[1]), dtype=np.bool_)
        for filled, plan in zip(pairs, plans, strict=True):
            filled[: plan.rows.size, : plan.columns.size] = plan.pairs
        met = [plan.rows for plan in plans if plan.rows.size and (plan.columns.size or watched is not None)]
        return cls(
            rows=rows,
            real_rows=real_rows,
            columns=Places.stacked(columns, real_columns, device),
            real_columns=real_columns,
            pairs=_tensor(pairs, device),
            span=range(int(min(rows[0] for rows in met)), int(max(rows[-1] for rows in met)) + 1) if met else range(0),
            watched=None if watched is None else _watched(plans, columns.shape[1], watched, device),
        )

    def meets(self, queries: range) -> bool:
        """Whether some row may be among `queries`, places in the key sequence."""
        return max(self.span.start, queries.start) < min(self.span.stop, queries.stop)

    def placed(self, queries: range, mask: Tensor | None, dtype: torch.dtype) -> Placed:
        """The plans in a layer with these `queries`, places in the key sequence, of that dtype, and with this mask.

        Worked out once for all layers of a forward that have the same, until `forget`.
        """
        key = queries, id(mask), dtype  # the mask is kept, so that its id stays its own
        if key not in self.met:
            if len(self.met) == MASKS_KEPT:
                self.forget()
            self.met[key] = self._place(queries, mask, dtype)
        return self.met[key]

    def forget(self) -> None:
        """Drop what was worked out for the layers of a forward."""
        self.met.clear()

    def _place(self, queries: range, mask: Tensor | None, dtype: torch.dtype) -> Placed:
        # Which rows are met is found with NumPy: a GPU would have to be waited for.
        real = self.real_rows & (self.rows >= queries.start) & (self.rows < queries.stop)
        place = np.where(real, self.rows - queries.start, 0)
        device = self.pairs.device
        rows = Places.stacked(place, real, device)
        seen = seen_columns(mask, rows, self.columns, len(real))
        biased = self.pairs[:, None] if rows.real is None else self.pairs[:, None] & rows.real[:, None, :, None]
        biased = biased if seen is None else biased & seen
        wide = torch.promote_types(dtype, torch.float32)
        written = None
        if rows.index.dim() > 1 or rows.real is not None:
            prompt, slot = real.nonzero()
            written = _tensor(prompt, device), _tensor(slot, device), _tensor(place[prompt, slot], device)
        return Placed(
            mask=mask,
            bias=None if mask is None else additive(mask, dtype),
            rows=rows,
            columns=self.columns,
            pairs=_tensor(real.sum(axis=1) * self.real_columns.sum(axis=1), device).unsqueeze(-1),
            alignable=biased.flatten(start_dim=1).any(dim=1, keepdim=True),
            unseen=None if seen is None else additive(seen, wide),
            biased=biased,
            biased_rows=biased.any(dim=-1, keepdim=True),
            keys=seen_keys(mask, rows, queries.start, len(real)).to(wide),
            written=written,
        )


def seen_columns(mask: Tensor | None, rows: Places, columns: Places, prompts: int) -> Tensor | None:
    """Which columns each row sees and are real, (B, 1 or Hq, R, C) bool; None where all see all.

    Columns stand before the rows: without a mask, nothing hides them. What an unreal row sees does not matter.
    """
    seen = None if mask is None else visible(mask, rows.each(prompts), columns.each(prompts))
    if columns.real is not None:
        real = columns.real[:, None, None, :]
        seen = real if seen is None else seen & real
    if seen is None:
        return None
    if rows.real is not None:
        seen = seen | ~rows.real[:, None, :, None]
    nothing_hidden = seen.device.type == "cpu" and bool(seen.all())  # a GPU would have to be waited for
    return None if nothing_hidden else seen


def seen_keys(mask: Tensor | None, rows: Places, cached: int, prompts: int) -> Tensor:
    """How many keys each row sees, (B, 1 or Hq, R), at least 1: what an unreal row sees does not matter.

    `cached` keys stand before the first query; without a mask, a row sees all keys up to its own.
    """
    each = rows.each(prompts)
    if mask is None:
        return each[:, None] + cached + 1
    return visible_keys(mask, each).sum(dim=-1).clamp(min=1)


def _watched(
    plans: Sequence[AlignmentPlan], width: int, watched: Sequence[Indices], device: torch.device
) -> WatchedColumns:
    columns, real = _stacked(watched)
    places = np.full((len(plans), width), columns.shape[1], dtype=np.int64)
    for filled, plan, chosen in zip(places, plans, watched, strict=True):
        found = np.isin(plan.columns, chosen)
        filled[: plan.columns.size][found] = np.searchsorted(chosen, plan.columns[found])
    return WatchedColumns(Places.stacked(columns, real, device), _tensor(places, device))


def _tensor(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    return torch.from_numpy(array).to(device)


def _stacked(parts: Sequence[Indices]) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """The parts as rows of one array, filled up to the longest, and which entries are real."""
    longest = max([1, *(part.size for part in parts)])  # never none: a maximum over nothing is an error
    filled = np.zeros((len(parts), longest), dtype=np.int64)
    real = np.zeros((len(parts), longest), dtype=np.bool_)
    for place, mask, part in zip(filled, real, parts, strict=True):
        place[: part.size], mask[: part.size] = part, True
    return filled, real
