"""A picture for each kind of annotation error: accuracy against its level, with and without the alignment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from socialcli.plots.canvas import BLUE, picture
from socialcli.plots.panels import in_percent, legend_below
from socialcli.settings.title import how_asked
from socialcli.verbs.stress.files import Stress, StressFolder
from socialcli.verbs.stress.levels import KindLevels
from socialcli.verbs.stress.table import StressRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 3.6, 3.6  # inches, of a panel
LEAST_WIDTH = 7.2  # inches, for the title
MARGIN = 1.5  # inches, above and below all panels
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
        for axes, task in zip(grid.flat, tasks, strict=True):
            _panel(axes, [row for row in rows if row.task == task], tested)
        grid.flat[0].set_ylabel("accuracy (%)")
        legend_below(figure, columns=2)


def _panel(axes: Axes, rows: Sequence[StressRow], tested: KindLevels) -> None:
    """One task: both conditions by level, each with its interval as a band."""
    levels, first = [row.level for row in rows], rows[0]
    axes.set_title(f"{first.task}: {first.n} questions", fontsize=10, parse_math=False)
    axes.set_xlabel(tested.kind.unit, fontsize=8, parse_math=False)
    axes.set_xticks(levels, [f"{level:g}" for level in levels])
    axes.grid(True, axis="y", alpha=0.3)
    # No row without questions is drawn, so that each has both accuracies.
    plain = [in_percent(row.plain or 0, row.plain_ci_low, row.plain_ci_high) for row in rows]
    aligned = [in_percent(row.accuracy or 0, row.ci_low, row.ci_high) for row in rows]
    for figures, color, style, name in (
        (plain, PLAIN, "--", "plain model, 95 % interval"),
        (aligned, BLUE, "o-", "aligned with the error, 95 % interval"),
    ):
        middle, low, high = (list(part) for part in zip(*figures, strict=True))
        axes.plot(levels, middle, style, color=color, zorder=3, label=name)
        axes.fill_between(levels, low, high, color=color, alpha=0.12, linewidth=0, zorder=1)


def _title(tested: KindLevels, stress: Stress) -> str:
    settings, seed = stress.manifest.settings, stress.errors.seed
    alignment = settings.alignment
    return (
        f"{tested.kind.name}: {tested.kind.summary}\n{how_asked(settings)}\nalignment: {alignment.bias} bias, alpha "
        f"{alignment.alpha:g}, heads by {alignment.heads_by}, steering {alignment.steer}; errors with seed {seed}"
    )
