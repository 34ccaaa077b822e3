"""seeds.png: mean and range of each setting's accuracy over the seeds, a column per task, a row per split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.jobs.grid import OPTIONS, PLAIN, Setting, described
from socialcli.plots.canvas import BLUE, picture
from socialcli.plots.panels import PERCENT
from socialcli.settings.run import RunSettings
from socialcli.settings.title import how_asked
from socialcli.verbs.sweep.seeds.spread import SpreadRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, LABELS = 3.4, 3.2  # inches: of a panel, and of the settings' names
LINE, MARGIN = 0.28, 1.3  # inches: of a setting, and around a panel
LEAST_HEIGHT = 1.2  # inches, of a panel


def draw_spread(path: Path, rows: Sequence[SpreadRow], settings: RunSettings) -> None:
    """Draw the picture; none without a labelled question. Raises OSError."""
    if not rows:
        return
    tasks, splits = (list(dict.fromkeys(getattr(row, name) for row in rows)) for name in ("task", "split"))
    swept = list(dict.fromkeys(row.setting for row in rows))
    height = max(LEAST_HEIGHT, LINE * len(swept)) + MARGIN
    title = f"Accuracy by setting: mean and range over {rows[0].seeds} seeds\n{how_asked(settings)}"
    with picture(path, title, WIDTH * len(tasks) + LABELS, height * len(splits)) as figure:
        grid = figure.subplots(len(splits), len(tasks), squeeze=False, sharex=True, sharey=True)
        for place, split in enumerate(splits):
            for axes, task in zip(grid[place], tasks, strict=True):
                own = {row.setting: row for row in rows if (row.task, row.split) == (task, split)}
                _panel(axes, f"{task}, {'no split' if split is None else split}", swept, own)


def _panel(axes: Axes, title: str, settings: Sequence[Setting], rows: dict[Setting, SpreadRow]) -> None:
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.set_xlabel("accuracy (%)", fontsize=9)
    axes.set_yticks(range(len(settings)), _names(settings), fontsize=8)
    axes.set_ylim(len(settings) - 0.5, -0.5)
    axes.grid(True, axis="x", alpha=0.3)
    for place, setting in enumerate(settings):
        row = rows.get(setting)
        if row is not None:
            color = "black" if setting == PLAIN else BLUE
            axes.plot([PERCENT * row.accuracy_low, PERCENT * row.accuracy_high], [place, place], color=color, alpha=0.5)
            axes.plot([PERCENT * row.accuracy], [place], "o", color=color)


def _names(settings: Sequence[Setting]) -> list[str]:
    """Each setting by the options in which the aligned settings differ."""
    records = [setting.as_record() for setting in settings if setting != PLAIN]
    differing = [option for option in OPTIONS if len({record[option] for record in records}) > 1]
    return [
        "plain model"
        if setting == PLAIN
        else ", ".join(described(option, setting.as_record()[option]) for option in differing) or "aligned"
        for setting in settings
    ]
