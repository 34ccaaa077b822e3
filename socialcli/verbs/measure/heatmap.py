"""heatmap.png: maps of all heads, layer by head: AttnMean before and after the bias, active share, and gaze score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from socialcli.alignment.head_stats import HeadFigures, Table
from socialcli.alignment.layers import layer_runs, layers_text
from socialcli.plots.canvas import RED, log_ticks, picture
from socialcli.verbs.measure.titles import Description

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize

WHAT = "Attention of a speaker's words to the tokens that show the speaker, by layer and head"
SCALE = 1e4  # of AttnMean, as in the published table
GAZE_SCALE = 100  # per cent
MOST_WIDTH = 24.0  # inches, of all maps
DECADES = 4  # the colours reach so far below the highest figure
NOTHING = "#d9d9d9"  # the colour of heads without a figure


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    title: str
    unit: str  # of the colour bar
    values: Table
    norm: Normalize
    colors: str  # a colour map's name


def draw_heatmap(path: Path, figures: HeadFigures, chosen: Sequence[int], description: Description) -> None:
    """Draw the maps into `path`; the aligned layers are framed. Raises OSError."""
    from matplotlib.colors import Normalize

    before, after = (SCALE * figures.attn_mean[stage, "own"] for stage in ("before", "after"))
    norm = _norm(before, after)
    active = np.full_like(figures.active, np.nan)
    active[list(chosen)] = figures.active[list(chosen)]
    panels = [
        _Panel("AttnMean before the bias", "AttnMean (x 1e-4)", before, norm, "viridis"),
        _Panel("AttnMean after the bias", "AttnMean (x 1e-4), the same colours", after, norm, "viridis"),
        _Panel("active", "share of the questions in which the head was active", active, Normalize(0, 1), "cividis"),
    ]
    if figures.gaze_prompts:
        gaze = GAZE_SCALE * figures.gaze
        panels.append(_Panel("gaze score before the bias", "gaze score (%)", gaze, _norm(gaze), "viridis"))
    layers, heads = figures.active.shape
    width, height = (min(4.0 + 0.05 * heads, MOST_WIDTH / len(panels)), min(4.0 + 0.06 * layers, 12.0))
    with picture(path, description.title(WHAT), len(panels) * width, height + 1.0) as figure:
        for axes, panel in zip(figure.subplots(1, len(panels)), panels, strict=True):
            _draw(axes, panel, chosen)
        figure.supxlabel(_note(chosen, before), fontsize=9, color=RED)


def _norm(*tables: Table) -> Normalize:
    """One scale for all: logarithmic, since heads differ by orders of magnitude."""
    from matplotlib.colors import LogNorm, Normalize

    values = np.concatenate([table[np.isfinite(table) & (table > 0)] for table in tables])
    if not values.size:
        return Normalize(0, 1)
    high = float(values.max())
    low = max(float(values.min()), high * 10.0**-DECADES)
    return LogNorm(low, high, clip=True) if low < high else Normalize(0, high)


def _draw(axes: Axes, panel: _Panel, chosen: Sequence[int]) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Rectangle
    from matplotlib.ticker import MaxNLocator

    colors = colormaps[panel.colors].with_extremes(bad=NOTHING)
    # A head without a figure is NaN, and grey; an attention of 0, which has no logarithm, gets the lowest colour.
    lowest = 0.0 if panel.norm.vmin is None else panel.norm.vmin
    image = axes.imshow(
        np.maximum(panel.values, lowest), norm=panel.norm, cmap=colors, aspect="auto", interpolation="nearest"
    )
    bar = axes.figure.colorbar(image, ax=axes, location="bottom", shrink=0.9, pad=0.02)
    bar.set_label(panel.unit)
    if isinstance(panel.norm, LogNorm):
        log_ticks(bar.ax.xaxis, (float(panel.norm.vmin or 0), float(panel.norm.vmax or 0)))
    axes.set(title=panel.title, xlabel="head", ylabel="layer")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    heads = panel.values.shape[1]
    for first, last in layer_runs(chosen):
        corner, height = (-0.5, first - 0.5), last - first + 1
        frame = Rectangle(corner, heads, height, fill=False, edgecolor=RED, linewidth=2.5, clip_on=False)
        axes.add_patch(frame)


def _note(chosen: Sequence[int], before: Table) -> str:
    layers = f"layers {layers_text(chosen)}"
    note = f"framed: {layers}, which take part in the alignment; grey: layers in which no head can be active"
    return f"{note}, and heads without a figure" if np.isnan(before).any() else note
