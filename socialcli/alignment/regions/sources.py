"""Where the regions V(s, f) come from (`--regions`). Every command imports this module, so it must not import NumPy.

The method (arXiv 2511.17952) takes annotated boxes. The other sources are there for recordings that have none, and to
compare with. `socialcli.inference.regions` finds the regions of a clip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from socialcli.alignment.heads.selectors import DYNAMIC, Head, HeadSelector

Source = Literal["boxes", "model", "people", "none"]

DEFAULT_SOURCE: Source = "boxes"
DEFAULT_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class GroundingHeads:
    """How the heads are selected whose attention says where a speaker is: the fields of `Alignment` of these names."""

    threshold: float = 5e-5
    layers: str = "auto"
    heads: frozenset[Head] | None = None
    max_heads: int | None = None
    selector: HeadSelector = DYNAMIC
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Regions:
    """Where V(s, f) comes from.

    `boxes`: the boxes of speaker s. `people`: the boxes of everybody, whoever says the words. `none`: nothing, so that
    nothing is aligned. `model`: the model itself. The words of s alone go through it, and V(s, f) is the smallest set
    of the frame's cells with `share` of their attention to the frame in the active heads.
    """

    source: Source = DEFAULT_SOURCE
    share: float | None = None  # above 0, up to 1; of `model` alone
    heads: GroundingHeads | None = None  # of `model` alone

    def __post_init__(self) -> None:
        """Raise ValueError for a share or heads that the source lacks, or does not use."""
        if (self.share is not None, self.heads is not None) != (self.by_model, self.by_model):
            raise ValueError("regions of the model have a share and heads, and no others do")
        if self.share is not None and not 0 < self.share <= 1:
            raise ValueError(f"the share {self.share} is out of range: use one above 0 and up to 1")

    @property
    def by_model(self) -> bool:
        """Whether the model must run to find the regions."""
        return self.source == "model"


BOXES = Regions()
