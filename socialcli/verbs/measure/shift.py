"""shift.png: the effect of the bias on each head: its figures before against after, and their gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from socialcli.alignment.head_stats import TARGETS, HeadFigures, Table
from socialcli.plots.canvas import BLUE, GREY, ORANGE, log_ticks, picture
from socialcli.verbs.measure.titles import Description

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WHAT = "Attention of a speaker's words, before and after the bias of each head's layer"
BINS = 24
FREE = 0.18  # of the height of the histogram, above its bars and lines: room for the legend
FEW_HEADS = 100  # up to which dots are large
COLORS = {"own": BLUE, "other": ORANGE}
MARKS = {"own": "o", "other": "^"}
NAMES = {"own": "to the speaker's own tokens", "other": "to the other speakers' tokens"}


@dataclass(frozen=True, slots=True, eq=False)
class _Measure:
    name: str
    unit: str
    scale: float
    tables: dict[tuple[str, str], Table]

    def pair(self, target: str, heads: npt.NDArray[np.bool_]) -> tuple[Table, Table]:
        """Before and after of those of `heads` whose figures are above 0, as logarithmic axes need them."""
        before, after = (self.scale * self.tables[stage, target][heads] for stage in ("before", "after"))
        shown = (before > 0) & (after > 0)
        return before[shown], after[shown]


def draw_shift(path: Path, figures: HeadFigures, chosen: Sequence[int], description: Description) -> None:
    """Draw AttnMean and AttnMax of each head before against after, and their gain, into `path`. Raises OSError."""
    in_range = np.zeros(figures.active.shape, dtype=np.bool_)
    in_range[list(chosen)] = True
    active = in_range & (figures.active > 0)
    mean = _Measure("AttnMean", "x 1e-4", 1e4, figures.attn_mean)
    largest = _Measure("AttnMax", "x 1e-2", 1e2, figures.attn_max)
    with picture(path, description.title(WHAT), 16.5, 6.4) as figure:
        left, middle, right = figure.subplots(1, 3)
        _scatter(left, mean, active)
        _scatter(middle, largest, active)
        _gains(right, mean, active)
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)


def _scatter(axes: Axes, measure: _Measure, active: npt.NDArray[np.bool_]) -> None:
    """One dot per head; above the diagonal, it attends more after the bias than before."""
    axes.set(
        title=f"{measure.name} of each head",
        xlabel=f"{measure.name} before ({measure.unit})",
        ylabel=f"{measure.name} after ({measure.unit})",
    )
    raised = {target: measure.pair(target, active) for target in TARGETS}
    pairs = [measure.pair(target, ~active) for target in TARGETS]
    idle_before, idle_after = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    values = np.concatenate([idle_before, idle_after, *(table for pair in raised.values() for table in pair)])
    if not values.size:
        _say(axes, "no head has a figure above 0")
        return
    size = 34 if active.size <= FEW_HEADS else 14
    for target, (before, after) in raised.items():
        label = f"{NAMES[target]}, the {int(active.sum())} heads that were active"
        axes.scatter(
            before, after, s=size, c=COLORS[target], marker=MARKS[target], alpha=0.75, lw=0, zorder=3, label=label
        )
    label = f"to either, the {int((~active).sum())} heads that were never active"
    axes.scatter(
        idle_before, idle_after, s=size, facecolors="none", edgecolors=GREY, lw=0.7, alpha=0.75, zorder=2, label=label
    )
    limits = (float(values.min()) / 1.3, float(values.max()) * 1.3)
    axes.plot(limits, limits, color="black", linewidth=1, linestyle="--", zorder=1, label="unchanged")
    axes.set(xscale="log", yscale="log", xlim=limits, ylim=limits, aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        log_ticks(axis, limits)
    axes.grid(True, which="major", alpha=0.3)


def _gains(axes: Axes, measure: _Measure, active: npt.NDArray[np.bool_]) -> None:
    """A histogram of the gains of the active heads, to the own and to the other tokens."""
    from matplotlib.ticker import MaxNLocator

    axes.set(
        title=f"gain of {measure.name} in the heads that were active",
        xlabel=f"{measure.name} after / before (1: unchanged)",
        ylabel="heads",
    )
    pairs = {target: measure.pair(target, active) for target in TARGETS}
    gains = {target: after / before for target, (before, after) in pairs.items() if before.size}
    if not gains:
        _say(axes, "no head was active")
        return
    low, high = (float(pick(np.concatenate(list(gains.values())))) for pick in (np.min, np.max))
    limits = (min(low, 1.0) / 1.1, max(high, 1.0) * 1.1)
    bins = np.geomspace(*limits, BINS + 1).tolist()
    for target, gain in gains.items():
        label = f"{NAMES[target]} (median {np.median(gain):.3g})"
        axes.hist(gain, bins=bins, color=COLORS[target], alpha=0.55, edgecolor=COLORS[target], label=label)
        axes.axvline(float(np.median(gain)), ymax=1 - FREE, color=COLORS[target], linewidth=2)
    axes.axvline(1.0, ymax=1 - FREE, color="black", linewidth=1, linestyle="--")
    axes.set_ylim(top=axes.get_ylim()[1] / (1 - FREE))
    axes.set_xscale("log")
    log_ticks(axes.xaxis, limits)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(True, axis="y", alpha=0.3)
    axes.legend(fontsize=9, loc="upper center")


def _say(axes: Axes, text: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center")
