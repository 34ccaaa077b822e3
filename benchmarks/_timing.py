"""Variants of the same work, timed in turns; and what the scripts print. Imports no torch."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Work = Callable[[], Any]


class Timed(NamedTuple):
    """What a variant took, and what it last returned."""

    seconds: float
    result: Any


def in_turns(variants: Mapping[str, Work], repeats: int, *, warm_up: int = 1) -> dict[str, Timed]:
    """Median seconds of each variant. They take turns, so that a busy machine slows all of them alike.

    Before that, the first `warm_up` of the variants run once unmeasured: what a process does once (caches, kernels that
    are chosen by trying) is no part of any. A GPU's work has to be waited for in the variant itself.
    """
    for work in list(variants.values())[:warm_up]:
        work()
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    results = {}
    for turn in range(1, repeats + 1):
        for name, work in variants.items():
            started = time.perf_counter()
            results[name] = work()
            seconds[name].append(time.perf_counter() - started)
            note(f"turn {turn}: {name}: {seconds[name][-1]:.3f} s")
    return {name: Timed(statistics.median(seconds[name]), results[name]) for name in variants}


def table_head(*columns: str) -> None:
    """Print the head of a Markdown table; the first column holds words, the others numbers."""
    row(*columns)
    row("---", *["---:"] * (len(columns) - 1))


def row(*cells: object) -> None:
    """Print a row of a Markdown table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def note(text: str) -> None:
    """Tell on standard error how far the script is; standard output holds the tables alone."""
    print(text, file=sys.stderr, flush=True)


def limit_cell(limit: float | None) -> str:
    """A limit as a cell: what has none stays empty."""
    return "" if limit is None else f"{limit:g}"
