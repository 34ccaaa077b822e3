"""What changes from step to step: the learning rate and the floor of the bias."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Shape = Literal["cosine", "linear", "constant"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A learning rate that grows from 0 over the first `warmup` share of `steps` updates, and then falls to 0.

    The floor of the bias falls from `bias_floor` to 0 over the first `bias_warmup` steps.
    """

    steps: int
    warmup: float = 0.03
    shape: Shape = "cosine"
    bias_warmup: int = 0
    bias_floor: float = 0.0

    def rate(self, step: int) -> float:
        """The share of the full learning rate in step `step`, counted from 1."""
        growing = math.ceil(self.steps * self.warmup)
        if step <= growing:
            return step / growing
        left = (self.steps - step) / max(1, self.steps - growing)
        return {"cosine": (1 - math.cos(math.pi * left)) / 2, "linear": left, "constant": 1.0}[self.shape]

    def floor(self, step: int) -> float:
        """The floor of the bias in step `step`, counted from 1."""
        return self.bias_floor * max(0.0, 1 - step / self.bias_warmup) if self.bias_warmup else 0.0
