"""(torch) Report of an aligned forward pass: active heads, their means, and rows with a negative bias."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from socialcli.alignment.heads.selectors import HeadMeans, HeadSelector


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

    @property
    def active(self) -> dict[int, Tensor]:
        """The active heads, (B, Hq) bool by layer."""
        return {number: layer.active for number, layer in self.layers.items()}

    def chosen(self, selector: HeadSelector, limit: int | None) -> dict[int, Tensor] | None:
        """The heads that a selector prefers to those that were active, now that all means are known.

        (B, Hq) bool by layer; None if it does not.
        """
        if selector.afterwards is None or not self.layers:
            return None
        layers = self.layers.values()
        means = torch.cat([layer.means for layer in layers], dim=1)
        active = torch.cat([layer.active for layer in layers], dim=1)
        found = selector.afterwards(HeadMeans(means.nan_to_num(nan=-torch.inf), active, limit))
        if found is None:
            return None
        parts = torch.split(found, [layer.active.shape[1] for layer in layers], dim=1)
        return dict(zip(self.layers, parts, strict=True))

    @staticmethod
    def _total(counts: Iterable[Tensor]) -> list[int]:
        """The sum over layers, with one GPU sync."""
        found = list(counts)
        total: list[int] = torch.stack(found).sum(dim=0).tolist() if found else []
        return total
