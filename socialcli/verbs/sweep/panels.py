"""What the pictures of a sweep have in common: a panel per task and split, the plain model, and the legend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.jobs.grid import Setting
from socialcli.plots.canvas import picture
from socialcli.plots.panels import PERCENT, in_percent, legend_below
from socialcli.stats.accuracy import AccuracyRow
from socialcli.verbs.sweep.choice import SweepTable, best
from socialcli.verbs.sweep.files import Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 4.6, 3.7  # inches, of a panel
LEAST_WIDTH = 9.2  # inches, for the title
MARGIN = 1.4  # inches, above and below all panels
OTHERS = "the other combinations"

DrawPanel = Callable[["Axes", str, str | None], None]


def panels_of(table: SweepTable, sweep: Sweep) -> tuple[list[str], list[str | None]]:
    """The tasks, and the splits, the validation split first, that have labelled questions."""
    validation = sweep.splits.validation
    splits = [*([] if validation is None else [validation]), *sweep.splits.test]
    shown = [split for split in splits if table.labelled(split)]
    return [task for task in table.tasks if any(table.labelled(split, (task,)) for split in shown)], shown


def draw_panels(path: Path, title: str, tasks: Sequence[str], splits: Sequence[str | None], draw: DrawPanel) -> None:
    """Draw a column for each task and a row for each split, with one legend. Raises OSError."""
    width, height = max(WIDTH * len(tasks), LEAST_WIDTH), HEIGHT * len(splits) + MARGIN
    with picture(path, title, width, height) as figure:
        grid = figure.subplots(len(splits), len(tasks), squeeze=False, sharey="col")
        for axes, (split, task) in zip(grid.flat, product(splits, tasks), strict=True):
            draw(axes, task, split)
        legend_below(figure, columns=4)


def best_aligned(table: SweepTable, sweep: Sweep, task: str, settings: Sequence[Setting]) -> Setting:
    """The setting that is best for a task in the validation split; the first one without labelled questions there."""
    validation = sweep.splits.validation
    rows = [] if validation is None else table.rows(validation, (task,))
    return best(rows, settings) if rows else settings[0]


def label_panel(axes: Axes, task: str, split: str | None, plain: AccuracyRow | None) -> None:
    """Title, axis and grid of a panel, and the `plain` model; None: the panel has no labelled question."""
    questions = plain.n if plain else 0
    axes.set_title(f"{task}, {_name(split)}: {questions} questions", fontsize=10, parse_math=False)
    axes.set_ylabel("accuracy (%)")
    axes.grid(True, axis="y", alpha=0.3)
    if plain is None:
        axes.text(0.5, 0.5, "no labelled question", transform=axes.transAxes, ha="center", va="center")
        return
    accuracy, low, high = interval(plain)
    axes.axhline(accuracy, color="black", linewidth=1.2, linestyle="--", zorder=2, label="plain model, 95 % interval")
    axes.axhspan(low, high, color="black", alpha=0.07, linewidth=0, zorder=0)
    if plain.chance is not None:
        axes.axhline(PERCENT * plain.chance, color="black", linewidth=1, linestyle=":", zorder=1, label="guessing")


def interval(row: AccuracyRow) -> tuple[float, float, float]:
    """Accuracy and both ends of its interval in percent; the ends are the accuracy if there is no interval."""
    return in_percent(row.correct / row.n, row.ci_low, row.ci_high)


def error_bars(rows: Sequence[AccuracyRow]) -> tuple[list[float], list[list[float]]]:
    """The accuracies in percent, and the lengths of their intervals below and above, as matplotlib takes them."""
    figures = [interval(row) for row in rows]
    below, above = ([abs(one[0] - one[end]) for one in figures] for end in (1, 2))
    return [one[0] for one in figures], [below, above]


def _name(split: str | None) -> str:
    return "no split" if split is None else split
