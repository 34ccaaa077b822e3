"""(torch) The attention of a speaker's words to that speaker's region, per layer and head.

AttnMax and AttnMean (arXiv 2511.17952, table 1), over the rows u of U that have pairs, with M(u) the tokens that show
u's speaker while u is said:

    AttnMax  = mean over rows u of   max over v in M(u) of A(u, v)
    AttnMean = mean over pairs (u, v in M(u)) of           A(u, v)

and, for contrast, the same over the tokens that show the OTHER speakers in the same frames. Computed from the rows U
and columns V_all alone, never from an L x L matrix.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from socialcli.alignment.head_stats import STAGES, FigureSums, HeadFigures
from socialcli.alignment.plan import AlignmentPlan


class AttentionGauge:
    """Adds up the figures over prompts: call `expect` with a batch's plans, then pass `observe` to `aligned`."""

    def __init__(self, layers: int, heads: int) -> None:
        """Start empty, for a decoder of that many layers and heads."""
        self.sums = FigureSums(layers, heads)
        self._masks: dict[str, Tensor] = {}

    def expect(self, plans: Sequence[AlignmentPlan], device: torch.device) -> None:
        """Set the plans of the batch that the next forward pass runs."""
        for target, masks in (("own", [plan.pairs for plan in plans]), ("other", [plan.others for plan in plans])):
            self.sums.rows[target] += sum(int(mask.any(axis=1).sum()) for mask in masks)
            self.sums.pairs[target] += sum(int(mask.sum()) for mask in masks)
            self._masks[target] = torch.from_numpy(_padded(masks)).to(device)
        self.sums.prompts += len(plans)

    def observe(self, layer: int, before: Tensor, after: Tensor, active: Tensor) -> None:
        """Add one layer of the batch; the arguments are those of `socialcli.alignment.rows.observation.Observer`."""
        self.sums.active[layer] += active.sum(dim=0).cpu().numpy()
        for stage, attention in zip(STAGES, (before, after), strict=True):
            for target, mask in self._masks.items():
                chosen = attention.masked_fill(~mask[:, None], 0)
                # A row without pairs adds a maximum of 0, and does not count.
                largest = chosen.amax(dim=-1).sum(dim=(0, 2)).double()
                self.sums.largest[stage, target][layer] += largest.cpu().numpy()
                self.sums.attention[stage, target][layer] += chosen.double().sum(dim=(0, 2, 3)).cpu().numpy()

    def figures(self) -> HeadFigures:
        """The means over everything so far."""
        return self.sums.figures()


def _padded(masks: Sequence[npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
    rows, columns = (max(mask.shape[axis] for mask in masks) for axis in (0, 1))
    padded = np.zeros((len(masks), rows, columns), dtype=np.bool_)
    for padded_mask, mask in zip(padded, masks, strict=True):
        padded_mask[: mask.shape[0], : mask.shape[1]] = mask
    return padded
