"""(torch) The attention of a speaker's words to that speaker's region, per layer and head.

AttnMax and AttnMean (arXiv 2511.17952, table 1), over the rows u of U that have pairs, with M(u) the tokens that show
u's speaker while u is said:

    AttnMax  = mean over rows u of   max over v in M(u) of A(u, v)
    AttnMean = mean over pairs (u, v in M(u)) of           A(u, v)

and, for contrast, the same over the tokens that show the OTHER speakers in the same frames. Computed from the rows U
and columns V_all alone, never from an L x L matrix.

The gaze score ranks heads for questions instead of words, as in work on gaze heads (arXiv 2606.14703):

    gaze     = mean over prompts of   sum over v in the region in question of A(last prompt token, v)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from socialcli.alignment.head_stats import STAGES, FigureSums, HeadFigures
from socialcli.alignment.plan import AlignmentPlan, Indices


class AttentionGauge:
    """Adds up the figures over prompts: call `expect` with a batch's plans, then pass `observe` to `aligned`."""

    def __init__(self, layers: int, heads: int) -> None:
        """Start empty, for a decoder of that many layers and heads."""
        self.sums = FigureSums(layers, heads)
        self._masks: dict[str, Tensor] = {}
        self._gaze: tuple[Tensor, Tensor] | None = None  # each plan's last row (B,), and its region (B, 1, C) bool

    def expect(
        self, plans: Sequence[AlignmentPlan], device: torch.device, regions: Sequence[Indices] | None = None
    ) -> None:
        """Set the plans of the batch that the next forward pass runs.

        With `regions`, the tokens of each prompt's region in question, the last row of each plan is the prompt's last
        token (`AlignmentPlan.observing`), and its gaze counts unless the region is empty.
        """
        for target, masks in (("own", [plan.pairs for plan in plans]), ("other", [plan.others for plan in plans])):
            self.sums.rows[target] += sum(int(mask.any(axis=1).sum()) for mask in masks)
            self.sums.pairs[target] += sum(int(mask.sum()) for mask in masks)
            self._masks[target] = torch.from_numpy(_padded(masks)).to(device)
        self.sums.prompts += len(plans)
        self._gaze = None
        if regions is not None:
            inside = [np.isin(plan.columns, region)[None] for plan, region in zip(plans, regions, strict=True)]
            self.sums.gaze_prompts += sum(bool(one.any()) for one in inside)
            last = torch.tensor([plan.rows.size - 1 for plan in plans], device=device)
            self._gaze = last, torch.from_numpy(_padded(inside)).to(device)

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

        if self._gaze is not None:
            last, region = self._gaze
            of_last = before[torch.arange(len(last), device=last.device), :, last].masked_fill(~region, 0)
            self.sums.gaze[layer] += of_last.double().sum(dim=(0, 2)).cpu().numpy()

    def figures(self) -> HeadFigures:
        """The means over everything so far."""
        return self.sums.figures()


def _padded(masks: Sequence[npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
    rows, columns = (max(mask.shape[axis] for mask in masks) for axis in (0, 1))
    padded = np.zeros((len(masks), rows, columns), dtype=np.bool_)
    for padded_mask, mask in zip(padded, masks, strict=True):
        padded_mask[: mask.shape[0], : mask.shape[1]] = mask
    return padded
