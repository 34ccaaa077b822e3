"""(torch) Attention maps: the mean attention of groups of the rows U to chosen columns, in chosen heads."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from socialcli.alignment.plan import AlignmentPlan, Indices


class AttentionTrace:
    """The mean attention of groups of tokens: pass `observe` to `aligned`, for one prompt and its `columns`."""

    def __init__(
        self,
        plan: AlignmentPlan,
        groups: Sequence[Sequence[int] | Indices],
        columns: Indices,
        heads: Collection[tuple[int, int]] | None = None,
    ) -> None:
        """Start empty: `groups` of the plan's rows, as tokens of the sequence; `heads` as (layer, head).

        None: the heads that are active.
        """
        self._heads = None if heads is None else sorted(heads)
        self.count = 0  # heads so far
        self._weights = np.zeros((len(groups), plan.rows.size))
        for weights, tokens in zip(self._weights, groups, strict=True):
            weights[np.searchsorted(plan.rows, tokens)] = 1 / len(tokens)
        self._total = np.zeros((len(groups), columns.size))

    def observe(self, layer: int, before: Tensor, after: Tensor, active: Tensor) -> None:
        """Add one layer; the arguments are those of `socialcli.alignment.rows.observation.Observer`."""
        if self._heads is None:
            heads = active[0].nonzero().flatten().tolist()
        else:
            heads = [head for its_layer, head in self._heads if its_layer == layer]
        if heads:
            self.count += len(heads)
            self._total += self._weights @ after[0, heads].sum(dim=0).double().cpu().numpy()

    def means(self) -> npt.NDArray[np.float64]:
        """The attention after the bias, (groups, columns): the mean over each group's tokens and over the heads.

        Of at least one head.
        """
        return self._total / self.count
