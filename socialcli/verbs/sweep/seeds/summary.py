"""What a sweep over seeds prints at its end: each setting's accuracy over the seeds, and its gain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from socialcli.jobs.grid import PLAIN
from socialcli.text_table import laid_out, percent, percent_interval, points, points_interval
from socialcli.verbs.sweep.seeds.spread import SpreadRow
from socialcli.verbs.sweep.seeds.work import SeedsResult

_HEAD = ("task", "split", "setting", "accuracy", "sd", "range", "gain", "sd", "range")
_LABELS = 3


def summary_lines(result: SeedsResult) -> str:
    """The table as text, without a newline at the end; accuracies in percent, gains in percentage points."""
    if not result.rows:
        return "no labelled question was asked, so there is no accuracy to show"
    seeds = ", ".join(map(str, result.sweeps))
    title = f"accuracy over the seeds {seeds}; gain: over the plain model of the same seed"
    return f"{title}\n{laid_out([list(_HEAD), *map(list, map(_cells, result.rows))], _LABELS)}"


def summary_json(result: SeedsResult, output: Path) -> dict[str, Any]:
    """The same as JSON values, with the output folder and the outcome of each seed's sweep."""
    return {
        "output": str(output),
        "seeds": {str(seed): found.sweep.manifest.outcome for seed, found in result.sweeps.items()},
        "spread": [row.as_record() for row in result.rows],
    }


def _cells(row: SpreadRow) -> Iterator[str]:
    yield from (row.task, row.split or "-", str(row.setting) or "plain model")
    accuracies = percent_interval(row.accuracy_low, row.accuracy_high)
    yield from (percent(row.accuracy), points(row.accuracy_sd, signed=False), accuracies)
    if row.setting == PLAIN:
        yield from ("-", "-", "-")
    else:
        yield from (points(row.gain), points(row.gain_sd, signed=False), points_interval(row.gain_low, row.gain_high))
