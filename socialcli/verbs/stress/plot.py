"""A picture for each kind of annotation error: accuracy against its level, with and without the alignment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from socialcli.plots.canvas import BLUE, picture
from socialcli.verbs.stress.files import Stress, StressFolder
from socialcli.verbs.stress.levels import KindLevels
from socialcli.verbs.stress.table import StressRow

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 3.6, 3.6  # inches, of a panel
LEAST_WIDTH = 7.2  # inches, for the title
MARGIN = 1.3  # inches, above and below all panels
PERCENT = 100
PLAIN = "black"


def draw_stress(folder: StressFolder, rows: Sequence[StressRow], stress: Stress) -> None:
    """Draw a picture for each kind into `folder`, none without a labelled question. Raises OSError."""
    for tested in stress.errors.kinds:
        own = [row for row in rows if row.perturbation == tested.kind.name and row.n]
        if own:
            _draw(folder, tested, own, stress)


def _draw(folder: StressFolder, tested: KindLevels, rows: Sequence[StressRow], stress: Stress) -> None:
    """A panel for each task, and for all of them together."""
    tasks = list(dict.fromkeys(row.task for row in rows))
    width = max(WIDTH * len(tasks), LEAST_WIDTH)
    with picture(folder.figure(tested.kind.name), _title(tested, stress), width, HEIGHT + MARGIN) as figure:
        grid = figure.subplots(1, len(tasks), squeeze=False, sharey=True)
        legend: dict[str, Artist] = {}
        for axes, task in zip(grid.flat, tasks, strict=True):
            _panel(axes, [row for row in rows if row.task == task], tested)
            marks, texts = axes.get_legend_handles_labels()
            legend |= {str(text): mark for text, mark in zip(texts, marks, strict=True)}
        grid.flat[0].set_ylabel("accuracy (%)")
        figure.legend(list(legend.values()), list(legend), loc="outside lower center", ncols=2, fontsize=9)


def _panel(axes: Axes, rows: Sequence[StressRow], tested: KindLevels) -> None:
    """One task: both conditions by level, each with its interval as a band."""
    levels, first = [row.level for row in rows], rows[0]
    axes.set_title(f"{first.task}: {first.n} questions", fontsize=10, parse_math=False)
    axes.set_xlabel(tested.kind.unit, fontsize=8, parse_math=False)
    axes.set_xticks(levels, [f"{level:g}" for level in levels])
    axes.grid(True, axis="y", alpha=0.3)
    plain = [_percent(row.plain, row.plain_ci_low, row.plain_ci_high) for row in rows]
    aligned = [_percent(row.accuracy, row.ci_low, row.ci_high) for row in rows]
    for figures, color, style, name in (
        (plain, PLAIN, "--", "plain model, 95 % interval"),
        (aligned, BLUE, "o-", "aligned with the error, 95 % interval"),
    ):
        middle, low, high = (list(part) for part in zip(*figures, strict=True))
        axes.plot(levels, middle, style, color=color, zorder=3, label=name)
        axes.fill_between(levels, low, high, color=color, alpha=0.12, linewidth=0, zorder=1)


def _percent(share: float | None, low: float | None, high: float | None) -> tuple[float, float, float]:
    """An accuracy and the ends of its interval in percent; the ends are the accuracy if there is no interval."""
    middle = PERCENT * (share or 0.0)
    return middle, middle if low is None else PERCENT * low, middle if high is None else PERCENT * high


def _title(tested: KindLevels, stress: Stress) -> str:
    settings = stress.manifest.settings
    alignment = settings.alignment
    return (
        f"{tested.kind.name}: {tested.kind.summary}\n{settings.model.name}, {alignment.bias} bias, alpha "
        f"{alignment.alpha:g}, heads by {alignment.heads_by}, steering {alignment.steer}, seed {stress.errors.seed}"
    )
