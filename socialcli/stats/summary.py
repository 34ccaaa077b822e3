"""What a run prints at its end: a short table of accuracy, or one JSON object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from socialcli.results.manifest import Manifest
from socialcli.stats.accuracy import GROUP_COLUMNS, STRENGTH_COLUMNS, AccuracyRow
from socialcli.stats.notes import alike_answers, few_episodes, several_orders
from socialcli.text_table import label, laid_out, percent, percent_interval

_Cell = Callable[[AccuracyRow], str]

_ALWAYS_SHOWN = ("task", "alignment")

_FIGURES: dict[str, _Cell] = {
    "n": lambda row: str(row.n),
    "accuracy": lambda row: percent(row.accuracy),
    "95% interval": lambda row: percent_interval(row.ci_low, row.ci_high),
    "chance": lambda row: percent(row.chance),
    "failed": lambda row: str(row.failed),
    "unparsed": lambda row: str(row.unparsed),
    "unlabelled": lambda row: str(row.unlabelled),
}


def _ordered(row: AccuracyRow) -> bool:
    return row.orders is not None


# Shown if some row has one: whether it does, and its cell.
_WHERE_ANY: dict[str, tuple[Callable[[AccuracyRow], object], _Cell]] = {
    "one candidate": (lambda row: row.single_candidate, lambda row: str(row.single_candidate)),
    "questions": (_ordered, lambda row: label(row.questions)),
    "circular": (_ordered, lambda row: percent(row.circular_accuracy)),
    "circular interval": (_ordered, lambda row: percent_interval(row.circular_ci_low, row.circular_ci_high)),
    "position bias": (_ordered, lambda row: percent(row.position_bias)),
    "W < 0": (lambda row: row.negative_bias is not None, lambda row: percent(row.negative_bias)),
}


def summary_lines(rows: Sequence[AccuracyRow], folders: Sequence[str] | None = None) -> str:
    """The table as text, without a newline at its end: a line per row, accuracies in percent, "-" for none.

    Besides task and alignment it shows the columns in which the rows differ, after the `folders` of the rows if given.
    With a single model, dataset and condition a line is about 80 characters wide. Notes below the table name the rows
    whose intervals are rough.
    """
    if not rows:
        return "no question was asked, so there is no accuracy to show"
    records = [row.as_record() for row in rows]
    labels = [name for name in GROUP_COLUMNS if name in _ALWAYS_SHOWN or _differs(name, records)]
    figures = _FIGURES | {name: cell for name, (there, cell) in _WHERE_ANY.items() if any(map(there, rows))}
    lines = [[*labels, *figures]]
    lines += [
        [*(label(item[name]) for name in labels), *(cell(row) for cell in figures.values())]
        for row, item in zip(rows, records, strict=True)
    ]
    first = () if folders is None else ("folder", *folders)
    lines = [[cell, *line] for cell, line in zip(first, lines, strict=True)] if first else lines
    return "\n".join(
        [laid_out(lines, len(labels) + bool(first)), *few_episodes(rows), *alike_answers(rows), *several_orders(rows)]
    )


def summary_json(rows: Sequence[AccuracyRow], output: Path, manifest: Manifest) -> dict[str, Any]:
    """The same as JSON values, with the output folder and the outcome of the run."""
    record = manifest.as_record()
    return {
        "output": str(output),
        **{
            name: record[name]
            for name in ("outcome", "exit_code", "seconds", "counts", "coverage", "stages", "warnings")
        },
        "accuracy": [row.as_record() for row in rows],
    }


def _differs(name: str, records: Sequence[dict[str, Any]]) -> bool:
    # The strength is null in every unaligned row, which is no difference to show.
    return len({item[name] for item in records if item["alignment"] or name not in STRENGTH_COLUMNS}) > 1
