"""(torch) Which heads of a layer are active: step 1 of the method, or another selector's choice."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from socialcli.alignment.heads.selectors import HeadSelector
from socialcli.alignment.method import attention, mean_attention
from socialcli.alignment.rows.masked_plans import MaskedPlans


@dataclass(frozen=True, slots=True, eq=False)
class HeadSelection:
    """How the active heads of one layer are selected."""

    selector: HeadSelector
    threshold: float  # lambda: a head is active whose mean attention from U to V_all is above it
    named: frozenset[int] | None  # active whatever their attention; None: by the selector
    chosen: Tensor | None  # (B, Hq) bool: from `AlignmentReport.chosen`, in place of the others; None: nothing is

    def select(self, scores: Tensor, lse: Tensor, plans: MaskedPlans, heads: slice) -> tuple[Tensor, Tensor | None]:
        """Which of some `heads` are active in which prompt, (B, H) bool, and their mean attention where it decides.

        `scores` (B, H, R, C) and `lse` (B, H, R) are those of `heads`. In a prompt without a pair no head is active:
        nothing would be biased.
        """
        if self.chosen is not None:
            return self.chosen[:, heads] & plans.alignable, None
        if self.named is not None:
            named = [head in self.named for head in range(heads.start, heads.stop)]
            return torch.tensor(named, device=scores.device) & plans.alignable, None
        weights = attention(scores, lse)
        means = mean_attention(weights if plans.tested is None else weights * plans.tested, plans.count)  # equation (1)
        if self.selector.in_layer is None:
            return torch.zeros_like(means, dtype=torch.bool), means.where(plans.alignable, torch.nan)
        return self.selector.in_layer(means, self.threshold) & plans.alignable, means
