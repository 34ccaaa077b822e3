"""What a bias rule is, and its inputs. The named rules are in `socialcli.alignment.bias`.

A third party adds one by returning it from the `socialcli_bias_rules` hook.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

DEFAULT_RULE = "published"
RENAMED = {"logit": "floored"}  # former name: present name

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class VisualScores:
    """The scores of the words U towards the visual tokens V_all in some heads of a layer; float32 or wider."""

    # (..., R, C): S = q.k * scale; -inf where a row does not see a column, 0 in a row that sees no column at all
    scores: torch.Tensor
    lse: torch.Tensor  # (..., R): the log-sum-exp of each whole row, so that exp(scores - lse) is the attention
    keys: torch.Tensor  # broadcasts to (..., R): how many keys each row sees, itself included

    @property
    def largest(self) -> torch.Tensor:
        """Each row's largest score over V_all, (..., R, 1)."""
        return self.scores.amax(dim=-1, keepdim=True)


@dataclass(frozen=True, slots=True)
class BiasRule:
    """The bias W of an aligned pair, added before the softmax: A' = softmax(S + W).

    `bias(visual, alpha)` returns W, of shape (..., R, 1) where the pairs of a row share it, which is faster, or
    (..., R, C). It may be negative, must be 0 for `alpha` 0, and is applied to the aligned pairs only.
    """

    name: str  # what --bias takes
    summary: str
    bias: Callable[[VisualScores, float], torch.Tensor]


def current_name(name: str) -> str:
    """The present name of a rule. Logs a warning for a former name."""
    if name not in RENAMED:
        return name
    _log.warning("the bias rule %r is now called %r; the next version drops the old name", name, RENAMED[name])
    return RENAMED[name]
