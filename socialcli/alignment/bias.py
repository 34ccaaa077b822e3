"""The bias rules of the method: how much an aligned pair of word and cell gains.

The published text calls the adaptive part of the bias "the maximum of attention" without saying before or after the
softmax. Both readings are here; see `BiasRule` for what `log_gain` means.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from socialcli.alignment.rules import BiasRule

if TYPE_CHECKING:
    import torch


def logit_gain(scores: torch.Tensor, lse: torch.Tensor, alpha: float, floor: float = 0.0) -> torch.Tensor:
    """W = alpha * max(floor, max over V_all of S); A' = softmax(S + W). The method's floor is 0.

    As a gain: E = A * (exp(W) - 1), so log E = S - lse + W + log(1 - exp(-W)).
    """
    import torch

    bias = alpha * scores.amax(dim=-1, keepdim=True).clamp(min=floor)
    raised = bias > 0
    # Where there is no bias the logarithm is that of 0: kept out of the computation, so that its gradient is not NaN.
    safe = torch.where(raised, bias, 1.0)
    of_row = safe + torch.log(-torch.expm1(-safe)) - lse.unsqueeze(-1)
    return scores + torch.where(raised, of_row, -math.inf)  # one pass over the scores: the rest is per row


def probability_gain(scores: torch.Tensor, lse: torch.Tensor, alpha: float) -> torch.Tensor:
    """A' = normalise(A + E) with E = alpha * max over V_all of A, the same for all aligned pairs of a row."""
    import torch

    if alpha <= 0:
        return torch.full_like(scores, -math.inf)
    best = scores.amax(dim=-1, keepdim=True) - lse.unsqueeze(-1)
    return (best + math.log(alpha)).expand_as(scores)


LOGIT = BiasRule("logit", "add alpha * the row's largest visual score before the softmax (default)", logit_gain)
PROBABILITY = BiasRule(
    "probability", "add alpha * the row's largest visual attention after it, then normalise", probability_gain
)


def floored(floor: float) -> BiasRule:
    """The logit rule with a floor above 0, under which a row's largest score counts as `floor`.

    A model that learns from nothing has scores near 0, and a bias in proportion to them would carry no signal.
    """
    return replace(LOGIT, log_gain=partial(logit_gain, floor=floor)) if floor else LOGIT
