"""A picture of matplotlib's from beginning to end, without pyplot and its state of the process; and its axes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.files import atomic_write
from socialcli.plots.fonts import make_legible

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

DPI = 120
TITLE_SIZE = 11  # points
LEAST_LABELS, MOST_LABELS = 3, 7  # of a logarithmic axis, below and above which others are tried

# What a file would say of its making, by its format.
_UNSTABLE = {"png": ("Software",), "svg": ("Date",), "pdf": ("Creator", "Producer", "CreationDate")}

# Okabe and Ito's colours, which everybody can tell apart.
BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#999999"


@contextmanager
def picture(path: Path, title: str, width: float, height: float) -> Iterator[Figure]:
    """Yield an empty picture of `width` x `height` inches, which becomes the file `path` when the block ends.

    The path ends in .png, .svg or .pdf. Raises OSError where it cannot be written; what stood under `path` then stays.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)  # whatever MPLBACKEND says: there may be no screen
    # A model's name is text, also where it holds the dollar signs of a formula.
    figure.suptitle(title, fontsize=TITLE_SIZE, parse_math=False)
    yield figure
    make_legible(figure)
    kind = path.suffix.removeprefix(".")
    # No version and no time in the file, and no names made of random numbers: the same figures make the same bytes.
    with atomic_write(path) as file, rc_context({"svg.hashsalt": "socialcli"}):
        figure.savefig(file, format=kind, dpi=DPI, metadata=dict.fromkeys(_UNSTABLE[kind]))


def log_ticks(axis: Axis, limits: tuple[float, float]) -> None:
    """Label a logarithmic axis with as many round numbers as it has room for, and never with two on one place."""
    from matplotlib.ticker import FixedLocator, FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter

    axis.set_minor_formatter(NullFormatter())
    for subs in (range(1, 10), (1, 2, 5), (1,)):
        ticks = LogLocator(subs=subs, numticks=1000).tick_values(*limits)
        inside = [float(tick) for tick in ticks if limits[0] <= tick <= limits[1]]
        if len(inside) > MOST_LABELS:
            continue
        if len(inside) < LEAST_LABELS:
            linear = MaxNLocator(LEAST_LABELS + 1).tick_values(*limits)
            inside = [float(tick) for tick in linear if limits[0] <= tick <= limits[1]]
        axis.set_major_locator(FixedLocator(inside))
        axis.set_major_formatter(FormatStrFormatter("%g"))
        return
