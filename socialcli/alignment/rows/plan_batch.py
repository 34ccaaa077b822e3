"""(torch) The plans of a batch of prompts as tensors, padded to the longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from socialcli.alignment.kernels import additive, as_boolean
from socialcli.alignment.plan import AlignmentPlan, Indices, Weights
from socialcli.alignment.rows.masked_plans import MaskedPlans, ObservedColumns, count_keys, visible_columns
from socialcli.alignment.rows.padding import PaddedIndices, padded, to_tensor

T = TypeVar("T", np.bool_, np.float32)

MASKS_KEPT = 2  # a decoder's layers share one mask, or two where some of them see only a window


@dataclass(slots=True, eq=False)
class PlanBatch:
    """The plans of a batch, padded to the longest: row i of prompt b is real where `real_rows[b, i]`."""

    rows: Indices  # (B, R) in the sequence
    real_rows: npt.NDArray[np.bool_]  # (B, R)
    columns: PaddedIndices  # C of them, in the sequence, or among the keys of cross-attention
    real_columns: npt.NDArray[np.bool_]  # (B, C)
    pairs: Tensor  # (B, R, C) bool, False in padding
    weights: Tensor | None  # (B, R, C) of the pairs; None: 1
    tested: npt.NDArray[np.bool_] | None  # (B, R) rows whose attention selects heads; None: all
    row_span: range  # from the first row of all prompts to the last; empty: there is nothing to do
    observed: ObservedColumns | None  # None: an observer sees the columns of the plans
    follows: bool = False  # the one row of each prompt is the query of the forward pass that runs: a decoding step
    start: int = 0  # the tokens before the queries of the forward pass that runs: those in its KV cache
    cache: dict[tuple[range, int, int, torch.dtype], tuple[Tensor | None, MaskedPlans]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        plans: Sequence[AlignmentPlan],
        device: torch.device,
        observed: Sequence[Indices] | None = None,
        follows: bool = False,
    ) -> PlanBatch:
        """Pad `plans`, whose indices count from the start of the padded sequence.

        `observed` are an observer's columns for each plan, ascending; with them, plans without columns have rows too.
        Raises ValueError where plans with several rows are to follow the query.
        """
        if follows and any(plan.rows.size > 1 for plan in plans):
            raise ValueError("a steering mode that acts on decoding steps must have one row: the last prompt token")
        rows, real_rows = padded([plan.rows for plan in plans])
        columns, real_columns = padded([plan.columns for plan in plans])
        shape = len(plans), rows.shape[1], columns.shape[1]
        weighted = any(plan.weights is not None for plan in plans)
        used = [plan.rows for plan in plans if plan.rows.size and (plan.columns.size or observed is not None)]
        span = (min(int(rows[0]) for rows in used), max(int(rows[-1]) for rows in used) + 1) if used else (0, 0)
        return cls(
            rows=rows,
            real_rows=real_rows,
            columns=PaddedIndices.of(columns, real_columns, device),
            real_columns=real_columns,
            pairs=to_tensor(_matrices([plan.pairs for plan in plans], shape), device),
            weights=to_tensor(_matrices([_weights(plan) for plan in plans], shape), device) if weighted else None,
            tested=_tested(plans, rows.shape[1]),
            row_span=range(*span),
            observed=None if observed is None else _observed(plans, columns.shape[1], observed, device),
            follows=follows,
        )

    def begin(self, start: int) -> None:
        """Another forward pass begins, behind `start` tokens: drop what `masked` computed for the masks of the last."""
        self.start = start
        self.cache.clear()
        if self.follows:
            self.rows = np.full_like(self.rows, start)
            self.row_span = range(start, start + 1)

    def has_rows_in(self, queries: range) -> bool:
        """Whether a row may be among `queries`, indices in the sequence."""
        return max(self.row_span.start, queries.start) < min(self.row_span.stop, queries.stop)

    def masked(self, queries: range, first_key: int, mask: Tensor | None, dtype: torch.dtype) -> MaskedPlans:
        """The plans in a layer with these `queries`, indices in the sequence, of that dtype, and with this mask.

        `first_key` is the index of the layer's first key: above 0 where a sliding window has dropped those before it.
        Computed once for all layers of a forward pass that have these in common.
        """
        key = queries, first_key, id(mask), dtype
        if key not in self.cache:
            if len(self.cache) == MASKS_KEPT:
                self.cache.clear()
            # Beside the mask itself, so that no other mask gets its id.
            self.cache[key] = mask, self._mask(queries, first_key, mask, dtype)
        return self.cache[key][1]

    def _mask(self, queries: range, first_key: int, mask: Tensor | None, dtype: torch.dtype) -> MaskedPlans:
        # With NumPy, which avoids a GPU sync: rows outside the queries count as padding.
        real = self.real_rows & (self.rows >= queries.start) & (self.rows < queries.stop)
        index = np.where(real, self.rows - queries.start, 0)
        device = self.pairs.device
        rows = PaddedIndices.of(index, real, device)
        columns, mask = self.columns.counted_from(first_key), as_boolean(mask)
        seen = visible_columns(mask, rows, columns, len(real))
        pairs = self.pairs[:, None] if rows.real is None else self.pairs[:, None] & rows.real[:, None, :, None]
        pairs = pairs if seen is None else pairs & seen
        wide = torch.promote_types(dtype, torch.float32)
        tested = real if self.tested is None else real & self.tested
        targets = None
        if rows.index.dim() > 1 or rows.real is not None:
            prompt, slot = real.nonzero()
            targets = to_tensor(prompt, device), to_tensor(slot, device), to_tensor(index[prompt, slot], device)
        return MaskedPlans(
            mask=mask,
            additive_mask=None if mask is None else additive(mask, dtype),
            rows=rows,
            columns=columns,
            observed=None if self.observed is None else self.observed.counted_from(first_key),
            count=to_tensor(tested.sum(axis=1) * self.real_columns.sum(axis=1), device).unsqueeze(-1),
            tested=None if self.tested is None else to_tensor(tested, device)[:, None, :, None].to(wide),
            alignable=pairs.flatten(start_dim=1).any(dim=1, keepdim=True),
            hidden=None if seen is None else additive(seen, wide),
            pairs=pairs,
            weights=None if self.weights is None else self.weights[:, None].to(wide),
            paired_rows=pairs.any(dim=-1, keepdim=True),
            key_counts=count_keys(mask, rows, queries.start - first_key, len(real)).to(wide),
            targets=targets,
        )


def _matrices(parts: Sequence[npt.NDArray[T]], shape: tuple[int, int, int]) -> npt.NDArray[T]:
    """The parts, (rows, columns) each, in the corners of one array of that shape, padded with 0."""
    whole = np.zeros(shape, dtype=parts[0].dtype)
    for corner, part in zip(whole, parts, strict=True):
        corner[: part.shape[0], : part.shape[1]] = part
    return whole


def _weights(plan: AlignmentPlan) -> Weights:
    return plan.pairs.astype(np.float32) if plan.weights is None else plan.weights


def _tested(plans: Sequence[AlignmentPlan], width: int) -> npt.NDArray[np.bool_] | None:
    if all(plan.tested is None for plan in plans):
        return None
    whole = np.zeros((len(plans), width), dtype=np.bool_)
    for row, plan in zip(whole, plans, strict=True):
        row[: plan.rows.size] = plan.tested_rows
    return whole


def _observed(
    plans: Sequence[AlignmentPlan], width: int, observed: Sequence[Indices], device: torch.device
) -> ObservedColumns:
    columns, real = padded(observed)
    places = np.full((len(plans), width), columns.shape[1], dtype=np.int64)
    for places_row, plan, chosen in zip(places, plans, observed, strict=True):
        found = np.isin(plan.columns, chosen)
        places_row[: plan.columns.size][found] = np.searchsorted(chosen, plan.columns[found])
    return ObservedColumns(PaddedIndices.of(columns, real, device), to_tensor(places, device))
