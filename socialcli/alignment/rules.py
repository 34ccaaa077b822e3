"""What a bias rule is. The two of the method are in `socialcli.alignment.bias`.

A third party adds one by returning it from the `socialcli_bias_rules` hook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class BiasRule:
    """How much an aligned pair gains.

    Any rule that raises attention can be written as A' = normalise(A + E) with E >= 0 on the aligned pairs.
    `log_gain(scores, lse, alpha)` returns log E (minus infinity: no gain), where `scores` is S = q.k * scale over the
    columns V_all, (..., rows, columns), minus infinity where a row does not see a column; `lse` is the log-sum-exp of
    each whole row, (..., rows), so that exp(scores - lse) is A. The result broadcasts to the shape of `scores`. All
    float32 or wider.
    """

    name: str  # what --bias takes
    summary: str
    log_gain: Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]
