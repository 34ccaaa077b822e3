"""Draw and save a matplotlib figure without pyplot and its global state; label its axes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.files import atomic_write
from socialcli.plots.fonts import make_legible

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text

DPI = 120
TITLE_SIZE = 11  # points
MARGIN = 0.9  # share of the picture's width that a wrapped title may fill: letters differ in width
LEAST_LABELS, MOST_LABELS = 3, 7  # on a logarithmic axis; outside this range, other ticks are tried

# Metadata that would differ between equal pictures, by file format.
_UNSTABLE = {"png": ("Software",), "svg": ("Date",), "pdf": ("Creator", "Producer", "CreationDate")}

# Okabe and Ito's colours, which colour-blind readers can tell apart.
BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#999999"


@contextmanager
def picture(path: Path, title: str, width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure of `width` x `height` inches and save it as `path` when the block ends.

    `path` ends in .png, .svg or .pdf. Raises OSError if it cannot be written, and leaves any earlier file as it was.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)  # ignores MPLBACKEND: there may be no screen
    # A model's name is plain text, even if it contains dollar signs like a formula.
    heading = figure.suptitle(title, fontsize=TITLE_SIZE, parse_math=False)
    yield figure
    make_legible(figure)
    _break_lines(heading, figure.bbox.width)
    _lay_out(figure)
    kind = path.suffix.removeprefix(".")
    # No version, no time and no random ids in the file: the same numbers give the same bytes.
    with atomic_write(path) as file, rc_context({"svg.hashsalt": "socialcli"}):
        figure.savefig(file, format=kind, dpi=DPI, metadata=dict.fromkeys(_UNSTABLE[kind]))


def _lay_out(figure: Figure) -> None:
    """Give everything its place, for good: `savefig` would draw a figure with a layout twice."""
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def _break_lines(heading: Text, room: float) -> None:
    """Break lines wider than `room` pixels. matplotlib's own `wrap=True` would read dollar signs as formulas."""
    width, lines = heading.get_window_extent().width, heading.get_text().split("\n")
    if width > room:
        letters = max(1, int(MARGIN * max(map(len, lines)) * room / width))
        heading.set_text("\n".join(part for line in lines for part in textwrap.wrap(line, letters)))


def log_ticks(axis: Axis, limits: tuple[float, float]) -> None:
    """Label a logarithmic axis with as many round numbers as fit without overlapping."""
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
