"""Text tables: aligned columns, shares in percent, "-" for null."""

from __future__ import annotations

from collections.abc import Callable, Sequence

SMALLEST_P = 0.001  # below it, three digits would be zeros

_GAP = "  "


def laid_out(lines: Sequence[Sequence[str]], labels: int) -> str:
    """The lines in aligned columns, no trailing newline: the first `labels` cells left-aligned, the rest right-aligned.

    All lines have the same number of cells, and there is at least one line.
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    sides: list[Callable[[str, int], str]] = [
        str.ljust if place < labels else str.rjust for place in range(len(widths))
    ]
    return "\n".join(
        _GAP.join(side(cell, width) for side, cell, width in zip(sides, line, widths, strict=True)).rstrip()
        for line in lines
    )


def label(value: object) -> str:
    """A column's value as people read it: "on" and "off" for a bool, "-" for null."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "-" if value is None else str(value)


def percent(share: float | None) -> str:
    """A share of 1 as a percentage."""
    return "-" if share is None else f"{100 * share:.1f}%"


def percent_interval(low: float | None, high: float | None) -> str:
    """The ends of an interval of shares, as percentages."""
    return "-" if low is None or high is None else f"{percent(low)} to {percent(high)}"


def points(share: float | None, *, signed: bool = True) -> str:
    """A difference of shares of 1 in percentage points; `signed=False`: the size of one, as a standard deviation."""
    return "-" if share is None else f"{100 * share:{'+' if signed else ''}.1f}"


def points_interval(low: float | None, high: float | None) -> str:
    """The ends of an interval of such differences, in percentage points."""
    return "-" if low is None or high is None else f"{points(low)} to {points(high)}"


def p_value(p: float | None) -> str:
    """A p-value with three digits."""
    if p is None:
        return "-"
    return f"<{SMALLEST_P}" if p < SMALLEST_P else f"{p:.3f}"
