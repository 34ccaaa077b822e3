"""A picture of matplotlib's from beginning to end, without pyplot and its state of the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 120
TITLE_SIZE = 11  # points

# Okabe and Ito's colours, which everybody can tell apart.
BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#999999"


@contextmanager
def picture(path: Path, title: str, width: float, height: float) -> Iterator[Figure]:
    """Yield an empty picture of `width` x `height` inches, which becomes the PNG `path` when the block ends.

    Raises OSError where it cannot be written; what stood under `path` then stays.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)  # whatever MPLBACKEND says: there may be no screen
    # A model's name is text, also where it holds the dollar signs of a formula.
    figure.suptitle(title, fontsize=TITLE_SIZE, parse_math=False)
    yield figure
    with atomic_write(path) as file:
        # No version in the file: the same figures make the same bytes.
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
