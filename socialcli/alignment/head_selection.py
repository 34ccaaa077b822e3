"""(torch) Which heads of a layer are active: step 1 of the method, unless the heads are named or capped."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from socialcli.alignment.method import attention, mean_attention
from socialcli.alignment.rows.masked_plans import MaskedPlans


@dataclass(frozen=True, slots=True, eq=False)
class HeadSelection:
    """How the active heads of one layer are selected."""

    threshold: float  # lambda: a head is active whose mean attention from U to V_all is above it
    named: frozenset[int] | None  # active whatever their attention; None: by the threshold
    capped: Tensor | None  # (B, Hq) bool: from `AlignmentReport.capped`, in place of the other two; None: no cap

    def select(self, scores: Tensor, lse: Tensor, plans: MaskedPlans, heads: slice) -> tuple[Tensor, Tensor | None]:
        """Which of some `heads` are active in which prompt, (B, H) bool, and their mean attention where it decides.

        `scores` (B, H, R, C) and `lse` (B, H, R) are those of `heads`. In a prompt where no word has a region of its
        speaker, no head is active: nothing would be biased.
        """
        if self.capped is not None:
            return self.capped[:, heads] & plans.alignable, None
        if self.named is not None:
            named = [head in self.named for head in range(heads.start, heads.stop)]
            return torch.tensor(named, device=scores.device) & plans.alignable, None
        means = mean_attention(attention(scores, lse), plans.count)  # equation (1) of docs/method.md
        return (means > self.threshold) & plans.alignable, means
