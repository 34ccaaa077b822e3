"""What panels of accuracies have in common: figures in percent, and one legend below all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

PERCENT = 100


def in_percent(share: float, low: float | None, high: float | None) -> tuple[float, float, float]:
    """A share of 1 and the ends of its interval in percent; the ends are the share if there is no interval."""
    below, above = (PERCENT * (share if end is None else end) for end in (low, high))
    return PERCENT * share, below, above


def legend_below(figure: Figure, columns: int) -> None:
    """Add a legend of `columns` columns with what the panels show, each label once."""
    legend: dict[str, Artist] = {}
    for axes in figure.axes:
        marks, texts = axes.get_legend_handles_labels()
        legend |= {str(text): mark for text, mark in zip(texts, marks, strict=True)}
    figure.legend(list(legend.values()), list(legend), loc="outside lower center", ncols=columns, fontsize=9)
