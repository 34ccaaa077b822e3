"""Time variants of the same work in turns, and print the tables. Imports no torch."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Work = Callable[[], Any]


class Timed(NamedTuple):
    """The time of a variant and its last result."""

    seconds: float
    result: Any


def in_turns(variants: Mapping[str, Work], repeats: int, *, warm_up: int = 1) -> dict[str, Timed]:
    """Median seconds of each variant. They take turns, so that a busy machine slows all of them alike.

    Before that, the first `warm_up` of the variants run once untimed, so that one-time work (caches, kernel tuning) is
    not part of any. The variant itself must wait for a GPU's work.
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
    """Report progress on standard error; standard output has only the tables."""
    print(text, file=sys.stderr, flush=True)


def limit_cell(limit: float | None) -> str:
    """A limit as a cell; empty if there is none."""
    return "" if limit is None else f"{limit:g}"
