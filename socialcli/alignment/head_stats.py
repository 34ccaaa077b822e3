"""AttnMax, AttnMean, the active share and the gaze score of every head, and their sums over prompts. Without torch.

`socialcli.alignment.head_attention` has the definitions and takes the figures from a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[np.float64]  # (layers, heads)
STAGES = ("before", "after")  # of the bias
TARGETS = ("own", "other")  # whose tokens are attended to: those of the words' speaker, or of the other speakers
KEYS = tuple((stage, target) for stage in STAGES for target in TARGETS)


@dataclass(frozen=True, slots=True, eq=False)
class HeadFigures:
    """The figures of every layer and head, (layers, heads); NaN for a mean over nothing.

    Keys are a stage ("before" or "after" the bias) and a target ("own" or "other" speakers' tokens).
    """

    attn_max: dict[tuple[str, str], Table]
    attn_mean: dict[tuple[str, str], Table]
    active: Table  # share of the prompts in which the head was active
    prompts: int
    rows: dict[str, int]  # by target
    pairs: dict[str, int]
    gaze: Table  # mean attention of the last prompt token to the region in question, before the bias
    gaze_prompts: int  # those with such a region


class FigureSums:
    """Sums and counts whose quotients are the figures; those of several batches or episodes add up exactly."""

    def __init__(self, layers: int, heads: int) -> None:
        """Start empty, for a decoder of that many layers and heads."""
        self.largest = {key: np.zeros((layers, heads)) for key in KEYS}  # over rows, of each row's maximum
        self.attention = {key: np.zeros((layers, heads)) for key in KEYS}  # over pairs
        self.active = np.zeros((layers, heads))  # prompts in which the head was active
        self.prompts = 0
        self.rows = dict.fromkeys(TARGETS, 0)
        self.pairs = dict.fromkeys(TARGETS, 0)
        self.gaze = np.zeros((layers, heads))  # over prompts with a region in question
        self.gaze_prompts = 0

    def add(self, other: FigureSums) -> None:
        """Add the sums and counts of `other`, of the same decoder."""
        for key in KEYS:
            self.largest[key] += other.largest[key]
            self.attention[key] += other.attention[key]
        self.active += other.active
        self.prompts += other.prompts
        for target in TARGETS:
            self.rows[target] += other.rows[target]
            self.pairs[target] += other.pairs[target]
        self.gaze += other.gaze
        self.gaze_prompts += other.gaze_prompts

    @property
    def finite(self) -> bool:
        """Whether every sum of attention is finite."""
        tables = (*self.largest.values(), *self.attention.values(), self.gaze)
        return all(bool(np.isfinite(table).all()) for table in tables)

    def figures(self, layers: Sequence[int] | None = None) -> HeadFigures:
        """The means over everything so far; NaN outside `layers`, those with attention to visual tokens (None: all)."""
        hidden = np.full(self.active.shape[0], layers is not None)
        hidden[list(layers or ())] = False

        def mean(total: Table, count: int) -> Table:
            return np.where(hidden[:, None], np.nan, _divided(total, count))

        return HeadFigures(
            attn_max={key: mean(total, self.rows[key[1]]) for key, total in self.largest.items()},
            attn_mean={key: mean(total, self.pairs[key[1]]) for key, total in self.attention.items()},
            active=_divided(self.active, self.prompts),
            prompts=self.prompts,
            rows=dict(self.rows),
            pairs=dict(self.pairs),
            gaze=mean(self.gaze, self.gaze_prompts),
            gaze_prompts=self.gaze_prompts,
        )


def _divided(total: Table, count: int) -> Table:
    return total / count if count else np.full_like(total, np.nan)
