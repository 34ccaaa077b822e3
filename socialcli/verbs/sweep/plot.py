"""alpha.png, heads_by.png and so on: accuracy against the values of a swept option."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import product
from operator import eq
from typing import TYPE_CHECKING

from socialcli.jobs.grid import OPTIONS, PLAIN, Setting, SweptOption, setting_of, short
from socialcli.plots.canvas import BLUE, GREY, ORANGE, RED, picture
from socialcli.stats.accuracy import AccuracyRow
from socialcli.verbs.sweep.choice import SweepTable, best
from socialcli.verbs.sweep.files import Sweep, SweepFolder

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 4.6, 3.7  # inches, of a panel
LEAST_WIDTH = 9.2  # inches, for the title
MARGIN = 1.4  # inches, above and below all panels
IN_ORDER = ("alpha", "lambda", "max_heads", "balance")  # their values are joined by a line; those of the others are not
PERCENT = 100
NAMED = ("heads_by", "steer")  # options whose value decides which others have an effect
OTHERS = "the other combinations"


def draw_sweep(folder: SweepFolder, table: SweepTable, sweep: Sweep) -> None:
    """Draw a picture for each option with several values into `folder`. Raises OSError.

    Draws none without a labelled question.
    """
    shown = [split for split in _splits(sweep) if table.labelled(split)]
    tasks = [task for task in table.tasks if any(table.labelled(split, (task,)) for split in shown)]
    for option in OPTIONS:
        values = _values(option, sweep)
        if len(values) > 1 and tasks:
            _draw(folder, _Plot(table, sweep, option, values), tasks, shown)


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
            (place, self.table.find(task, split, self._at(value, like))) for place, value in enumerate(self.values)
        )
        return [(place, row) for place, row in found if row is not None]

    def others(self, like: Setting) -> list[Setting]:
        """A setting for each combination of the other options, except that of `like`."""
        groups = {setting.without(self.option): setting for setting in self.sweep.settings if setting != PLAIN}
        groups.pop(like.without(self.option))
        return list(groups.values())

    def held(self, task: str) -> Setting:
        """The setting that fixes the other options of the coloured figures: the best aligned one, else the first.

        It is the best in the validation split, whichever split is shown.
        """
        aligned = [setting for setting in self.sweep.settings if setting != PLAIN]
        rows = self.table.rows(self.sweep.splits.validation, (task,)) if self.sweep.splits.validation else []
        return best(rows, aligned) if rows else aligned[0]

    def chosen(self, task: str) -> Setting | None:
        """The best setting of a task, if there is one."""
        return next((choice.setting for choice in self.sweep.best if choice.task == task), None)

    def _at(self, value: object, like: Setting) -> Setting:
        if self.option == "alpha" and not value:
            return PLAIN
        exact = like.having(self.option, value)
        if self.option not in NAMED or exact in self.sweep.settings:
            return exact
        # A selector without a limit, or a mode without a balance, has no setting that differs in its name alone.
        others = [one for one in self.sweep.settings if one != PLAIN and one.as_record()[self.option] == value]
        return max(others, key=lambda one: _shared(one, like))


def _draw(folder: SweepFolder, plot: _Plot, tasks: Sequence[str], splits: Sequence[str | None]) -> None:
    """A column for each task, a row for each split, the validation split first."""
    width, height = max(WIDTH * len(tasks), LEAST_WIDTH), HEIGHT * len(splits) + MARGIN
    with picture(folder.plot(plot.option), _title(plot), width, height) as figure:
        grid = figure.subplots(len(splits), len(tasks), squeeze=False, sharey="col")
        legend: dict[str, Artist] = {}
        for axes, (split, task) in zip(grid.flat, product(splits, tasks), strict=True):
            _panel(axes, plot, task, split)
            marks, texts = axes.get_legend_handles_labels()
            legend |= {str(text): mark for text, mark in zip(texts, marks, strict=True)}
        figure.legend(list(legend.values()), list(legend), loc="outside lower center", ncols=4, fontsize=9)


def _panel(axes: Axes, plot: _Plot, task: str, split: str | None) -> None:
    """A task's accuracy in a split, with its interval, before the other combinations in grey."""
    held, plain = plot.held(task), plot.table.find(task, split, PLAIN)
    fixed, option = held.words(but=plot.option), plot.option.replace("_", "-")
    axes.set_title(f"{task}, {_name(split)}: {plain.n if plain else 0} questions", fontsize=10, parse_math=False)
    axes.set_xlabel(f"{option}   ({fixed})", fontsize=9, parse_math=False)
    axes.set_ylabel("accuracy (%)")
    axes.set_xticks(range(len(plot.values)), [short(value, plot.option) for value in plot.values], parse_math=False)
    axes.set_xlim(-0.5, len(plot.values) - 0.5)
    axes.grid(True, axis="y", alpha=0.3)
    if plain is None:
        axes.text(0.5, 0.5, "no labelled question", transform=axes.transAxes, ha="center", va="center")
        return
    _draw_plain(axes, plain)
    for other in plot.others(held):
        _draw_other(axes, plot, plot.points(task, split, other))
    _draw_held(axes, plot, task, split, held)


def _draw_plain(axes: Axes, plain: AccuracyRow) -> None:
    accuracy, low, high = _interval(plain)
    axes.axhline(accuracy, color="black", linewidth=1.2, linestyle="--", zorder=2, label="plain model, 95 % interval")
    axes.axhspan(low, high, color="black", alpha=0.07, linewidth=0, zorder=0)
    if plain.chance is not None:
        axes.axhline(PERCENT * plain.chance, color="black", linewidth=1, linestyle=":", zorder=1, label="guessing")


def _draw_other(axes: Axes, plot: _Plot, points: Sequence[tuple[int, AccuracyRow]]) -> None:
    line = "-" if plot.option in IN_ORDER else ""
    places, heights = [place for place, _ in points], [_interval(row)[0] for _, row in points]
    axes.plot(places, heights, color=GREY, lw=0.8, ls=line, marker=".", ms=4, alpha=0.6, zorder=1, label=OTHERS)


def _draw_held(axes: Axes, plot: _Plot, task: str, split: str | None, held: Setting) -> None:
    points = plot.points(task, split, held)
    on_validation = plot.sweep.splits.validation is not None and split == plot.sweep.splits.validation
    color, role = (BLUE, "validation split") if on_validation else (ORANGE, "other split")
    figures = [_interval(row) for _, row in points]
    below, above = ([abs(one[0] - one[end]) for one in figures] for end in (1, 2))
    axes.errorbar(
        [place for place, _ in points],
        [one[0] for one in figures],
        yerr=[below, above],
        color=color,
        linestyle="-" if plot.option in IN_ORDER else "",
        marker="o",
        capsize=4,
        zorder=3,
        label=f"{role}, 95 % interval",
    )
    for place, row in points:
        if on_validation and plot.chosen(task) == setting_of(row):
            axes.plot(place, _interval(row)[0], "*", color=RED, ms=15, zorder=4, label="chosen here")


def _interval(row: AccuracyRow) -> tuple[float, float, float]:
    """Accuracy and both ends of its interval in percent; the ends are the accuracy if there is no interval."""
    accuracy = PERCENT * row.correct / row.n
    low, high = (accuracy if end is None else PERCENT * end for end in (row.ci_low, row.ci_high))
    return accuracy, low, high


def _splits(sweep: Sweep) -> list[str | None]:
    """The validation split, then the others."""
    validation = sweep.splits.validation
    return [*([] if validation is None else [validation]), *sweep.splits.test]


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
        return sorted(found, key=lambda layers: [int(layer) for layer in layers.split("-")])
    return list(found)


def _shared(one: Setting, other: Setting) -> int:
    """The number of options that are the same in both settings."""
    return sum(map(eq, astuple(one), astuple(other)))


def _title(plot: _Plot) -> str:
    model, prompt = plot.sweep.manifest.settings.model.name, plot.sweep.manifest.settings.prompt
    shown = prompt.inputs if prompt.boxes_as == "none" else f"{prompt.inputs}, boxes as {prompt.boxes_as}"
    validation = plot.sweep.splits.validation
    held = "first values" if validation is None else f"values that are best for the task in the split {validation}"
    return (
        f"Accuracy by {plot.option.replace('_', '-')} of the alignment\n"
        f"{model}, {shown}, context {prompt.context}, frames {prompt.frames}, answer {prompt.answer}\n"
        f"in colour: the other options have the {held}"
    )


def _name(split: str | None) -> str:
    return "no split" if split is None else split
