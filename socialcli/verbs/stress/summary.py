"""What a stress test prints at its end: accuracy by kind and level, and a sentence for each kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from socialcli.stats.notes import few_episodes
from socialcli.text_table import laid_out, p_value, percent, percent_interval, points, points_interval
from socialcli.verbs.stress.files import Stress
from socialcli.verbs.stress.table import StressRow

_HEAD = (
    *("kind", "level", "n", "aligned", "95% interval", "plain", "gain", "95% interval", "p"),
    *("vs level 0", "p"),
)


def summary_lines(stress: Stress, rows: Sequence[StressRow]) -> str:
    """The figures of all tasks together as text, gains in percentage points; then a sentence for each kind."""
    if not stress.limits:
        return "no labelled question was asked, so there is no accuracy to show"
    shown = [row for limit in stress.limits for row in limit.rows]
    task = shown[0].task
    differences = "gain: over the plain model; vs level 0: over the annotation as it is"
    title = f"accuracy with annotation errors, task {task}; {differences}"
    table = laid_out([list(_HEAD), *map(_cells, shown)], 1)
    counts, notes = stress.manifest.counts, [*few_episodes(shown)]
    if counts.failed:
        notes.append(f"{counts.failed} of {counts.rows} answers failed and count as wrong: see stress.parquet")
    return "\n".join([title, table, *notes, "", *(limit.sentence for limit in stress.limits)])


def summary_json(stress: Stress, rows: Sequence[StressRow], output: Path) -> dict[str, Any]:
    """The same as JSON values, with the rows of every task, the output folder and the outcome."""
    record = stress.as_record()
    shown = ("outcome", "exit_code", "seconds", "counts", "warnings", "seed", "kinds", "limits")
    return {
        "output": str(output),
        **{name: record[name] for name in shown},
        "stress": [row.as_record() for row in rows],
    }


def _cells(row: StressRow) -> list[str]:
    return [
        row.perturbation,
        f"{row.level:g}",
        str(row.n),
        percent(row.accuracy),
        percent_interval(row.ci_low, row.ci_high),
        percent(row.plain),
        points(row.gain),
        points_interval(row.gain_ci_low, row.gain_ci_high),
        p_value(row.gain_p),
        points(row.change),
        p_value(row.change_p),
    ]
