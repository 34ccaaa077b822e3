"""loss.png: the loss of each update, and the accuracy on the validation split after each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from socialcli.plots.canvas import BLUE, GREY, picture
from socialcli.verbs.train.files import LogRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMOOTHED_OVER = 50  # updates, at most a tenth of all


def draw_training(path: Path, rows: Sequence[LogRow], title: str) -> None:
    """Draw the log of a training into `path`. Raises OSError."""
    with picture(path, title, 11, 4.2) as figure:
        left, right = figure.subplots(1, 2)
        _draw_loss(left, [row for row in rows if row.loss is not None])
        _draw_accuracy(right, [row for row in rows if row.accuracy is not None and row.task is not None])


def _draw_loss(axes: Axes, updates: Sequence[LogRow]) -> None:
    axes.set(title="loss on the training split", xlabel="step", ylabel="cross-entropy of the answer (nats a token)")
    axes.grid(True, alpha=0.3)
    if not updates:
        _say(axes, "no update yet")
        return
    steps, losses = [row.step for row in updates], np.array([row.loss for row in updates])
    axes.plot(steps, losses, color=GREY, linewidth=0.8, label="each update")
    width = min(SMOOTHED_OVER, len(losses) // 10)
    if width > 1:
        smooth = np.convolve(losses, np.full(width, 1 / width), mode="valid")
        axes.plot(steps[width - 1 :], smooth, color=BLUE, label=f"mean of the last {width}")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=9)


def _draw_accuracy(axes: Axes, rows: Sequence[LogRow]) -> None:
    axes.set(title="accuracy on the validation split", xlabel="step", ylabel="share of right answers", ylim=(0, 1))
    axes.grid(True, alpha=0.3)
    if not rows:
        _say(axes, "no validation split, or no epoch ended yet")
        return
    for task in sorted({row.task for row in rows if row.task is not None}):
        mine = [row for row in rows if row.task == task]
        axes.plot([row.step for row in mine], [row.accuracy or 0.0 for row in mine], marker="o", label=task)
    axes.legend(fontsize=9)


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center")
