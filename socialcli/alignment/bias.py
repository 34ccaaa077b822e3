"""The bias formula, W, by named rules: what is added to the score of an aligned pair of word and visual token.

`published` is step 2 of the method to the letter (arXiv 2511.17952). Its bias is a multiple of the row's largest visual
score, and scores have no absolute zero: a softmax does not change when a constant is added to a row. Where the largest
score is negative, the published bias takes attention away from the speaker's region. The other rules are there for
comparison. Every command imports this module, so it must not import torch.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from socialcli.alignment.rules import BiasRule, VisualScores

if TYPE_CHECKING:
    import torch


def published_bias(visual: VisualScores, alpha: float) -> torch.Tensor:
    """W = alpha * max over V_all of S, whatever its sign."""
    return alpha * visual.largest


def floored_bias(visual: VisualScores, alpha: float, floor: float = 0.0) -> torch.Tensor:
    """W = alpha * max(floor, max over V_all of S)."""
    return alpha * visual.largest.clamp(min=floor)


def centred_bias(visual: VisualScores, alpha: float) -> torch.Tensor:
    """W = alpha * max(0, max over V_all of S - lse + log(number of keys)).

    The largest visual score counts from lse - log(number of keys), the log of the row's mean exp(S), so that adding a
    constant to the row changes nothing.
    """
    mean = (visual.lse - visual.keys.log()).unsqueeze(-1)
    return alpha * (visual.largest - mean).clamp(min=0)


def probability_bias(visual: VisualScores, alpha: float) -> torch.Tensor:
    """The bias equivalent to A' = normalise(A + alpha * max over V_all of A).

    A + E = A * exp(W) with W = log(1 + E / A), and E / A = alpha * exp(max S - S).
    """
    import torch

    if alpha == 0:
        return torch.zeros_like(visual.largest)
    return torch.nn.functional.softplus(math.log(alpha) + visual.largest - visual.scores)


def constant_bias(visual: VisualScores, alpha: float) -> torch.Tensor:
    """W = alpha, the same for every word and head."""
    return visual.lse.new_full(visual.lse.shape, alpha).unsqueeze(-1)


PUBLISHED = BiasRule("published", "alpha * the row's largest visual score, negative ones too (default)", published_bias)
FLOORED = BiasRule("floored", "alpha * the row's largest visual score, never below 0", floored_bias)
CENTRED = BiasRule("centred", "alpha * the largest visual score above the row's mean, never below 0", centred_bias)
PROBABILITY = BiasRule(
    "probability", "alpha * the row's largest visual attention, added after the softmax", probability_bias
)
CONSTANT = BiasRule("constant", "alpha itself, the same for every word and head", constant_bias)

RULES = (PUBLISHED, FLOORED, CENTRED, PROBABILITY, CONSTANT)


def with_floor(floor: float) -> BiasRule:
    """The floored rule with a floor above 0: a row's largest score counts as at least `floor`.

    A model trained from scratch starts with scores near 0, and a bias in proportion to them would carry no signal.
    """
    return BiasRule(FLOORED.name, FLOORED.summary, lambda visual, alpha: floored_bias(visual, alpha, floor))
