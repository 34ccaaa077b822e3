"""alpha.png, heads_by.png and so on: accuracy against the values of a swept option."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import partial
from operator import eq
from typing import TYPE_CHECKING

from socialcli.alignment.layers import check_layers
from socialcli.jobs.grid import OPTIONS, PLAIN, Setting, SweptOption, dashed, setting_of, short
from socialcli.plots.canvas import BLUE, GREY, ORANGE, RED
from socialcli.settings.title import how_asked
from socialcli.stats.accuracy import AccuracyRow
from socialcli.verbs.sweep.choice import SweepTable
from socialcli.verbs.sweep.files import Sweep, SweepFolder
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

LETTERS = 52  # of a line below a panel
IN_ORDER = ("alpha", "lambda", "max_heads", "balance")  # their values are joined by a line; those of the others are not
NAMED = ("heads_by", "steer")  # options whose value decides which others have an effect


def draw_sweep(folder: SweepFolder, table: SweepTable, sweep: Sweep) -> None:
    """Draw a picture for each option with several values into `folder`. Raises OSError.

    Draws none without a labelled question.
    """
    tasks, splits = panels_of(table, sweep)
    for option in OPTIONS:
        values = _values(option, sweep)
        if len(values) > 1 and tasks:
            plot = _Plot(table, sweep, option, values)
            draw_panels(folder.figure(option), _title(plot), tasks, splits, partial(_panel, plot))


@dataclass(frozen=True, slots=True)
class _Plot:
    """The subject of a picture."""

    table: SweepTable
    sweep: Sweep
    option: SweptOption
    values: Sequence[object]  # from left to right

    def points(self, task: str, split: str | None, like: Setting) -> list[tuple[int, AccuracyRow]]:
        """The place of each value on the axis, and its row with the other options as in `like`."""
        found = (
            (place, self.table.find(task, split, self._at(value, like, task)))
            for place, value in enumerate(self.values)
        )
        return [(place, row) for place, row in found if row is not None]

    def others(self, like: Setting) -> list[Setting]:
        """A setting for each combination of the other options, except that of `like`."""
        groups = {setting.without(self.option): setting for setting in self.sweep.settings if setting != PLAIN}
        groups.pop(like.without(self.option))
        return list(groups.values())

    def held(self, task: str) -> Setting:
        """The setting that fixes the other options of the coloured figures: the best aligned one, else the first.

        It is the best in the validation split, whichever split is shown, of those that differ in the option from
        another one: a mode without a balance has no curve over the balance.
        """
        aligned = [setting for setting in self.sweep.settings if setting != PLAIN]
        values = Counter(setting.without(self.option) for setting in aligned)
        aligned = [setting for setting in aligned if values[setting.without(self.option)] > 1] or aligned
        return best_aligned(self.table, self.sweep, task, aligned)

    def chosen(self, task: str) -> Setting | None:
        """The best setting of a task, if there is one."""
        return next((choice.setting for choice in self.sweep.best if choice.task == task), None)

    def _at(self, value: object, like: Setting, task: str) -> Setting:
        if self.option == "alpha" and not value:
            return PLAIN
        exact = like.having(self.option, value)
        if self.option not in NAMED or exact in self.sweep.settings:
            return exact
        # A selector without a limit, or a mode without a balance, has no setting that differs in its name alone.
        others = [one for one in self.sweep.settings if one != PLAIN and one.as_record()[self.option] == value]
        most = max(_shared(one, like) for one in others)
        nearest = [one for one in others if _shared(one, like) == most]
        return best_aligned(self.table, self.sweep, task, nearest)


def _panel(plot: _Plot, axes: Axes, task: str, split: str | None) -> None:
    """A task's accuracy in a split, with its interval, before the other combinations in grey."""
    held, plain = plot.held(task), plot.table.find(task, split, PLAIN)
    label_panel(axes, task, split, plain)
    others = textwrap.fill(f"({held.words(but=plot.option)})", LETTERS)
    axes.set_xlabel(f"{dashed(plot.option)}\n{others}", fontsize=8, parse_math=False)
    axes.set_xticks(range(len(plot.values)), [short(value, plot.option) for value in plot.values], parse_math=False)
    axes.set_xlim(-0.5, len(plot.values) - 0.5)
    if plain is None:
        return
    for other in plot.others(held):
        _draw_other(axes, plot, plot.points(task, split, other))
    _draw_held(axes, plot, task, split, held)


def _draw_other(axes: Axes, plot: _Plot, points: Sequence[tuple[int, AccuracyRow]]) -> None:
    line = "-" if plot.option in IN_ORDER else ""
    places, heights = [place for place, _ in points], [interval(row)[0] for _, row in points]
    axes.plot(places, heights, color=GREY, lw=0.8, ls=line, marker=".", ms=4, alpha=0.6, zorder=1, label=OTHERS)


def _draw_held(axes: Axes, plot: _Plot, task: str, split: str | None, held: Setting) -> None:
    points = plot.points(task, split, held)
    on_validation = plot.sweep.splits.validation is not None and split == plot.sweep.splits.validation
    color, role = (BLUE, "validation split") if on_validation else (ORANGE, "other split")
    heights, bars = error_bars([row for _, row in points])
    axes.errorbar(
        [place for place, _ in points],
        heights,
        yerr=bars,
        color=color,
        linestyle="-" if plot.option in IN_ORDER else "",
        marker="o",
        capsize=4,
        zorder=3,
        label=f"{role}, 95 % interval",
    )
    for place, row in points:
        if on_validation and plot.chosen(task) == setting_of(row):
            axes.plot(place, interval(row)[0], "*", color=RED, ms=15, zorder=4, label="chosen here")


def _values(option: SweptOption, sweep: Sweep) -> list[object]:
    """The values of an option, from the lowest to the highest; rules in the order given."""
    found = dict.fromkeys(setting.as_record()[option] for setting in sweep.settings if setting != PLAIN)
    if option == "alpha":
        return sorted({*found, *([0.0] if 0 in sweep.grid.alpha else [])})
    if option == "lambda":
        return sorted(found)
    if option == "balance":
        return sorted(value for value in found if value is not None)  # some modes have none
    if option == "max_heads":
        return sorted(found, key=lambda limit: math.inf if limit is None else limit)
    if option == "layers":
        return sorted(found, key=lambda layers: list(check_layers(layers) or ()))
    return list(found)


def _shared(one: Setting, other: Setting) -> int:
    """The number of options that are the same in both settings."""
    return sum(map(eq, astuple(one), astuple(other)))


def _title(plot: _Plot) -> str:
    validation = plot.sweep.splits.validation
    held = "first values" if validation is None else f"values that are best for the task in the split {validation}"
    return (
        f"Accuracy by {dashed(plot.option)} of the alignment\n{how_asked(plot.sweep.manifest.settings)}\n"
        f"in colour: the other options have the {held}"
    )
