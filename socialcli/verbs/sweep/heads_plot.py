"""active_heads.png: accuracy against the number of active heads, a curve for each head selector and steering mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from socialcli.jobs.grid import PLAIN, Setting
from socialcli.plots.canvas import BLUE, GREY, ORANGE, RED
from socialcli.results.predictions import METHOD_VALUES
from socialcli.settings.title import how_asked
from socialcli.stats.accuracy import AccuracyRow
from socialcli.verbs.sweep.choice import SweepTable
from socialcli.verbs.sweep.files import ACTIVE_HEADS, Sweep, SweepFolder
from socialcli.verbs.sweep.panels import (
    OTHERS,
    best_aligned,
    draw_panels,
    error_bars,
    interval,
    label_panel,
    panels_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = (BLUE, ORANGE, "#009E73", RED, "#CC79A7")  # of selectors: two more of Okabe and Ito's than elsewhere
LOOKS = (("o", "-"), ("s", "--"), ("D", ":"), ("^", "-."))  # of modes
APART = 1.03  # from curve to curve, on a logarithmic axis: many have the same numbers of heads
LOG_FROM = 8  # heads: a longer axis doubles from tick to tick

Curve = tuple[str | None, str | None]  # a head selector and a steering mode


def draw_active_heads(folder: SweepFolder, table: SweepTable, sweep: Sweep) -> None:
    """Draw the picture into `folder`, if settings differ in the number of active heads. Raises OSError.

    Draws none without a labelled question.
    """
    tasks, splits = panels_of(table, sweep)
    rows = [row for split in splits for row in table.rows(split, tasks)]
    if len({row.active_head_count for row in rows if row.active_head_count is not None}) > 1:
        title = f"Accuracy by the number of active heads\n{how_asked(sweep.manifest.settings)}\n{_held(sweep)}"
        draw_panels(folder.figure(ACTIVE_HEADS), title, tasks, splits, partial(_panel, _Plot(table, sweep)))


@dataclass(frozen=True, slots=True)
class _Plot:
    """The subject of the picture."""

    table: SweepTable
    sweep: Sweep

    @property
    def curves(self) -> dict[Curve, list[Setting]]:
        """The aligned settings by selector and mode."""
        found: dict[Curve, list[Setting]] = {}
        for setting in self.sweep.settings:
            if setting != PLAIN:
                found.setdefault((setting.heads_by, setting.steer), []).append(setting)
        return found

    def points(
        self, task: str, split: str | None, settings: Sequence[Setting]
    ) -> tuple[list[AccuracyRow], list[AccuracyRow]]:
        """The rows on a curve, by their number of active heads, and those off it.

        On it are the settings that have alpha, layers, bias and balance in common with the best one.
        """
        best = best_aligned(self.table, self.sweep, task, settings)
        on: list[AccuracyRow] = []
        off: list[AccuracyRow] = []
        for setting in settings:
            row = self.table.find(task, split, setting)
            if row is not None and row.active_head_count is not None:
                (on if _strength(setting) == _strength(best) else off).append(row)
        return sorted(on, key=lambda row: row.active_head_count or 0), off


def _panel(plot: _Plot, axes: Axes, task: str, split: str | None) -> None:
    """A task's accuracy in a split: a curve with intervals for each selector and mode, other settings in grey."""
    label_panel(axes, task, split, plot.table.find(task, split, PLAIN))
    most = 0.0
    selectors, modes = (list(dict.fromkeys(names)) for names in zip(*plot.curves, strict=True))
    for place, (curve, settings) in enumerate(plot.curves.items()):
        color = COLORS[selectors.index(curve[0]) % len(COLORS)]
        marker, line = LOOKS[modes.index(curve[1]) % len(LOOKS)]
        on, off = plot.points(task, split, settings)
        most = max([most, *(row.active_head_count or 0 for row in (*on, *off))])
        _draw_others(axes, off)
        heights, bars = error_bars(on)
        heads = [(row.active_head_count or 0.0) * APART**place for row in on]
        lines = axes.errorbar(heads, heights, yerr=bars, color=color, marker=marker, ms=5, capsize=3, zorder=3)
        lines[0].set_linestyle(line)
        lines.set_label(_label(curve))
    _scale(axes, most)


def _draw_others(axes: Axes, rows: Sequence[AccuracyRow]) -> None:
    places, heights = [row.active_head_count or 0.0 for row in rows], [interval(row)[0] for row in rows]
    axes.plot(places, heights, color=GREY, ls="", marker=".", ms=4, alpha=0.6, zorder=1, label=OTHERS)


def _scale(axes: Axes, most: float) -> None:
    """Whole numbers of heads below the axis, from 0; doubled from tick to tick where there are many."""
    from matplotlib.ticker import FormatStrFormatter, MaxNLocator, NullLocator

    axes.set_xlabel("active heads, mean over the questions", fontsize=9)
    if most > LOG_FROM:
        axes.set_xscale("symlog", base=2, linthresh=1)
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.set_xlim(left=0)


def _strength(setting: Setting) -> tuple[object, ...]:
    return setting.alpha, setting.layers, setting.bias, setting.balance


def _label(curve: Curve) -> str:
    """The selector, and the mode unless it is the method's."""
    selector, mode = curve
    return f"{selector}" if mode == METHOD_VALUES["steer"] else f"{selector}, {mode}"


def _held(sweep: Sweep) -> str:
    if sweep.splits.validation is None:
        return "a curve has the first values of alpha, layers, bias and balance"
    return f"a curve has the alpha, layers, bias and balance that are best in the split {sweep.splits.validation}"
