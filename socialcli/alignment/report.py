"""(torch) Report of an aligned forward pass: active heads, their means, and rows with a negative bias."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class LayerReport:
    """The alignment of one layer, for each prompt of the batch."""

    active: Tensor  # (B, Hq) bool
    means: Tensor  # (B, Hq) mean attention of U to V_all, which selects heads; NaN where it was not needed
    biased: Tensor  # (B,) rows with a bias, over the active heads
    negative: Tensor  # (B,) those of them whose bias is below 0

    @classmethod
    def of(cls, output: Tensor) -> LayerReport:
        """An empty report on a layer with this `output` (B, Hq, Q, D)."""
        heads = output.new_zeros(output.shape[:2], dtype=torch.float32)
        count = heads.new_zeros(heads.shape[0], dtype=torch.int64)
        return cls(heads.bool(), heads.fill_(torch.nan), count, count.clone())

    def record_heads(self, heads: slice, active: Tensor, means: Tensor | None) -> None:
        """Enter the active ones among some `heads`, (B, H), and their means where these decided it."""
        if means is not None:
            self.means[:, heads] = means.detach().float()
        self.active[:, heads] = active

    def record_rows(self, biased: Tensor, negative: Tensor) -> None:
        """Count rows of some heads with a bias, (B, H, R, 1) bool, and with a negative one, (B, H, R) bool."""
        self.biased.add_(biased.sum(dim=(1, 2, 3)))
        self.negative.add_(negative.sum(dim=(1, 2)))


@dataclass(slots=True)
class AlignmentReport:
    """The alignment of a forward pass, per decoder layer that took part."""

    layers: dict[int, LayerReport] = field(default_factory=dict)

    def active_share(self) -> list[float]:
        """Per prompt, the share of active heads among all heads of the layers that took part (0 if none did)."""
        heads = sum(layer.active.shape[1] for layer in self.layers.values())
        return [count / heads if heads else 0.0 for count in self.active_count()]

    def active_count(self) -> list[int]:
        """Per prompt, the number of active heads."""
        return self._total(layer.active.sum(dim=1) for layer in self.layers.values())

    def negative_share(self) -> list[float | None]:
        """Per prompt, the share of rows with a negative bias among the biased rows, over the active heads.

        None where no row had a bias.
        """
        biased = self._total(layer.biased for layer in self.layers.values())
        negative = self._total(layer.negative for layer in self.layers.values())
        return [part / whole if whole else None for part, whole in zip(negative, biased, strict=True)]

    def capped(self, most: int | None) -> dict[int, Tensor] | None:
        """The `most` active heads with the largest means of each prompt: (B, Hq) bool by layer.

        None if no prompt has more, or if `most` is None. Of equal means, the lower layer and head comes first.
        """
        if most is None or not any(count > most for count in self.active_count()):
            return None
        means = [layer.means.masked_fill(~layer.active, -torch.inf) for layer in self.layers.values()]
        order = torch.cat(means, dim=1).argsort(dim=1, descending=True, stable=True)
        chosen = torch.zeros_like(order, dtype=torch.bool).scatter(1, order[:, :most], True)
        parts = torch.split(chosen, [layer.active.shape[1] for layer in self.layers.values()], dim=1)
        return {number: part & layer.active for (number, layer), part in zip(self.layers.items(), parts, strict=True)}

    @staticmethod
    def _total(counts: Iterable[Tensor]) -> list[int]:
        """The sum over layers, with one GPU sync."""
        found = list(counts)
        total: list[int] = torch.stack(found).sum(dim=0).tolist() if found else []
        return total
