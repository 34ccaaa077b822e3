"""Regions as cells of the visual grid: where most of the attention is, and where anybody is. No torch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from socialcli.alignment.grid import VisualGrid
from socialcli.alignment.plan import SpeakerTokens

Attention = npt.NDArray[np.float64]  # (steps, height, width): of some words to each cell; 0 where no token shows it

ANYBODY = ""  # in place of an unknown speaker, where it does not matter who speaks; no speaker has an empty id


def most_attended(attention: Attention, grid: VisualGrid, share: float) -> SpeakerTokens:
    """In each temporal step, the smallest set of cells that holds `share` of the step's attention.

    Of equal cells the first ones count, by row and column. A step without attention, such as one outside a sliding
    window, has no region.
    """
    return SpeakerTokens(tuple(map(_largest, attention, grid.tokens, [share] * len(grid.frames))), 0)


def _largest(attention: npt.NDArray[np.float64], tokens: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.int64]:
    shown = tokens >= 0
    of_cells, tokens = attention[shown], tokens[shown]
    order = np.argsort(-of_cells, kind="stable")
    held = np.cumsum(of_cells[order])
    if not held.size or held[-1] == 0:
        return np.empty(0, dtype=np.int64)
    # Compared with the last sum, not with one in another order, so that a share of 1 is never missed by rounding.
    count = int(np.searchsorted(held, share * held[-1])) + 1
    return np.sort(tokens[order[:count]])


def of_everybody(shown: Mapping[str, SpeakerTokens], speakers: Iterable[str]) -> dict[str, SpeakerTokens]:
    """The region of all people in `shown`, for each of the `speakers` and for an unknown one (`ANYBODY`)."""
    steps = zip(*(cover.tokens for cover in shown.values()), strict=True)
    everybody = SpeakerTokens(tuple(_union(step) for step in steps), 0)  # `unseen` counts boxes, once, and not these
    return dict.fromkeys([*speakers, ANYBODY], everybody) if shown else {}


def _union(parts: Collection[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    return np.unique(np.concatenate(list(parts)))
