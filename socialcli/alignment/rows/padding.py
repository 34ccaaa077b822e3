"""(torch) Index lists of different lengths as one tensor, padded to the longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from socialcli.alignment.plan import Indices


@dataclass(frozen=True, slots=True, eq=False)
class PaddedIndices:
    """N indices along the sequence for each of B prompts; some may be padding."""

    index: Tensor  # (N,) where all prompts have the same, which is faster to select by; else (B, N)
    real: Tensor | None  # (B or 1, N) bool, False where padding; None: no padding

    @classmethod
    def of(cls, index: Indices, real: npt.NDArray[np.bool_], device: torch.device) -> PaddedIndices:
        """From arrays (B, N)."""
        shared = bool((index == index[0]).all())
        return cls(
            index=to_tensor(index[0] if shared else index, device),
            real=None if real.all() else to_tensor(real, device),
        )

    def take(self, tensor: Tensor) -> Tensor:
        """The entries of `tensor` (B, H, L, D) at these indices, (B, H, N, D)."""
        if self.index.dim() == 1:
            return tensor.index_select(2, self.index)
        prompt = torch.arange(tensor.shape[0], device=tensor.device)[:, None, None]
        head = torch.arange(tensor.shape[1], device=tensor.device)[:, None]
        return tensor[prompt, head, self.index[:, None]]

    def counted_from(self, first: int) -> PaddedIndices:
        """The same indices in a sequence that lacks its entries before `first`: those become padding."""
        if first == 0:
            return self
        index = self.index - first
        real = index >= 0 if self.real is None else (index >= 0) & self.real
        return PaddedIndices(index.clamp(min=0), real if real.dim() == 2 else real.unsqueeze(0))

    def of_prompt(self, prompt: int) -> Tensor:
        """The indices of one prompt, (N,)."""
        return self.index if self.index.dim() == 1 else self.index[prompt]

    def expanded(self, prompts: int) -> Tensor:
        """The indices of each of that many prompts, (B, N)."""
        return self.index.expand(prompts, -1)


def padded(parts: Sequence[Indices]) -> tuple[Indices, npt.NDArray[np.bool_]]:
    """The parts as rows of one array (B, N), padded with 0 to the longest, and which entries are real."""
    longest = max([1, *(part.size for part in parts)])  # at least 1: a maximum over no entry is an error
    index = np.zeros((len(parts), longest), dtype=np.int64)
    real = np.zeros((len(parts), longest), dtype=np.bool_)
    for index_row, real_row, part in zip(index, real, parts, strict=True):
        index_row[: part.size], real_row[: part.size] = part, True
    return index, real


def to_tensor(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    """An array as a tensor on `device`."""
    return torch.from_numpy(array).to(device)
