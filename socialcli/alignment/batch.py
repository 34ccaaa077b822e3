"""(torch) The plans of a batch of prompts as tensors, short ones filled up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from socialcli.alignment.plan import AlignmentPlan, Indices


@dataclass(frozen=True, slots=True, eq=False)
class WatchedColumns:
    """Columns of a watcher's own choice: column i of prompt b is real where `real[b, i]`."""

    columns: Tensor  # (B, N) index in the key sequence
    real: Tensor  # (B, N) bool
    places: Tensor  # (B, C) where each column of the plan is among them; N where it is not


@dataclass(frozen=True, slots=True, eq=False)
class PlanBatch:
    """The plans of a batch as tensors, short ones filled up: row i of prompt b is real where `real_rows[b, i]`."""

    rows: Tensor  # (B, R) index in the key sequence
    real_rows: Tensor  # (B, R) bool
    columns: Tensor  # (B, C) index in the key sequence
    real_columns: Tensor  # (B, C) bool
    pairs: Tensor  # (B, R, C) bool
    span: range  # from the first row of all prompts to the last; empty: there is nothing to do
    watched: WatchedColumns | None  # None: a watcher sees the columns of the plans
    places: dict[range, tuple[Tensor, Tensor, Tensor]] = field(default_factory=dict)  # see `entries`

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

        def placed(array: np.ndarray) -> Tensor:
            return torch.from_numpy(array).to(device)

        return cls(
            rows=placed(rows),
            real_rows=placed(real_rows),
            columns=placed(columns),
            real_columns=placed(real_columns),
            pairs=placed(pairs),
            span=range(int(min(rows[0] for rows in met)), int(max(rows[-1] for rows in met)) + 1) if met else range(0),
            watched=None if watched is None else _watched(plans, columns.shape[1], watched, device),
        )

    def meets(self, queries: range) -> bool:
        """Whether some row may be among `queries`, places in the key sequence."""
        return max(self.span.start, queries.start) < min(self.span.stop, queries.stop)

    def among(self, queries: range) -> Tensor:
        """Which rows are real and among `queries`, (B, R) bool."""
        return self.real_rows & (self.rows >= queries.start) & (self.rows < queries.stop)

    def entries(self, queries: range) -> tuple[Tensor, Tensor, Tensor]:
        """The rows among `queries`: prompt, slot in the batch's rows, and place among the queries, each (N,).

        Kept, because all layers of a forward ask for the same, and a GPU must be waited for to tell how many there are.
        """
        if queries not in self.places:
            prompt, slot = self.among(queries).nonzero(as_tuple=True)
            self.places[queries] = prompt, slot, self.rows[prompt, slot] - queries.start
        return self.places[queries]


def _watched(
    plans: Sequence[AlignmentPlan], width: int, watched: Sequence[Indices], device: torch.device
) -> WatchedColumns:
    columns, real = _stacked(watched)
    places = np.full((len(plans), width), columns.shape[1], dtype=np.int64)
    for filled, plan, chosen in zip(places, plans, watched, strict=True):
        found = np.isin(plan.columns, chosen)
        filled[: plan.columns.size][found] = np.searchsorted(chosen, plan.columns[found])
    return WatchedColumns(*(torch.from_numpy(array).to(device) for array in (columns, real, places)))


def _stacked(parts: Sequence[Indices]) -> tuple[np.ndarray, np.ndarray]:
    """The parts as rows of one array, filled up to the longest, and which entries are real."""
    longest = max([1, *(part.size for part in parts)])  # never none: a maximum over nothing is an error
    filled = np.zeros((len(parts), longest), dtype=np.int64)
    real = np.zeros((len(parts), longest), dtype=np.bool_)
    for place, mask, part in zip(filled, real, parts, strict=True):
        place[: part.size], mask[: part.size] = part, True
    return filled, real
