"""How well regions that a model finds agree with annotated boxes. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from socialcli.alignment.grid import VisualGrid
from socialcli.alignment.plan import Indices, SpeakerTokens
from socialcli.alignment.regions.cells import Attention


@dataclass(frozen=True, slots=True)
class Agreement:
    """A region and the attention that it was made from, beside one person's box, in one temporal step or on average."""

    inside: float  # share of the step's attention that the box's cells get
    iou: float  # cells of both, divided by cells of either
    pointing: float  # 1 where the most attended cell is the box's (the pointing game), else 0; of equal cells the first
    area: float  # share of the step's cells that are the box's: what `inside` and `pointing` come to by chance

    @classmethod
    def mean(cls, found: Iterable[Agreement]) -> Agreement | None:
        """The mean of each figure; None of nothing."""
        rows = [(one.inside, one.iou, one.pointing, one.area) for one in found]
        return cls(*np.mean(rows, axis=0).tolist()) if rows else None


def agreement_by_step(
    attention: Attention, region: SpeakerTokens, box: SpeakerTokens, grid: VisualGrid
) -> dict[int, Agreement]:
    """The agreement in each temporal step in which the box has a cell and the words have attention."""
    found = {}
    for step, (at, tokens) in enumerate(zip(attention, grid.tokens, strict=True)):
        shown = tokens >= 0
        if box.tokens[step].size and at[shown].sum() > 0:
            found[step] = _agreement(at[shown], tokens[shown], region.tokens[step], box.tokens[step])
    return found


def _agreement(
    attention: np.ndarray[tuple[int, ...], np.dtype[np.float64]], tokens: Indices, region: Indices, box: Indices
) -> Agreement:
    covered = np.isin(tokens, box)
    return Agreement(
        inside=float(attention[covered].sum() / attention.sum()),
        iou=np.intersect1d(region, box).size / np.union1d(region, box).size,
        pointing=float(covered[attention.argmax()]),
        area=float(covered.mean()),
    )
