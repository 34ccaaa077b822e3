"""Recomputes the accuracy of existing predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.results.columns import arrow_schema, as_record, column, table_row
from socialcli.results.formats import write_table
from socialcli.stats.accuracy import AccuracyRow, accuracy_table, write_accuracy
from socialcli.stats.gold import GoldLabels, Relabelling
from socialcli.stats.sources import Source
from socialcli.stats.summary import summary_lines


@table_row
class _FolderRow:
    """A row of the table of several sources."""

    folder: str = column("the folder or file, as the user gave it")
    row: AccuracyRow


@dataclass(frozen=True, slots=True)
class Recount:
    """The recomputed table of one source."""

    source: Source
    table: tuple[AccuracyRow, ...]
    warnings: tuple[str, ...]

    def as_record(self) -> dict[str, Any]:
        """The recount as JSON values."""
        return {
            "folder": str(self.source.path),
            "warnings": list(self.warnings),
            "accuracy": [row.as_record() for row in self.table],
        }


def recount(source: Source, labels: GoldLabels | None = None) -> Recount:
    """Count the rows of `source`, with gold answers from `labels` if given.

    The rows are streamed: memory grows with the episodes, not with the rows. Raises as `read_predictions` does.
    """
    if labels is None:
        return Recount(source, tuple(accuracy_table(source.rows())), tuple(source.warnings()))
    relabelling = Relabelling(labels)
    table = tuple(accuracy_table(relabelling.rows(source.rows())))
    lost = [f"{source.path}: {warning}" for warning in relabelling.warnings()]
    return Recount(source, table, (*source.warnings(), *labels.warnings(), *lost))


def recount_lines(recounts: Sequence[Recount]) -> str:
    """The tables as text, as a run prints them; several sources share one table, which names the source of each row."""
    rows = [row for one in recounts for row in one.table]
    if len(recounts) == 1:
        return summary_lines(rows)
    return summary_lines(rows, [str(one.source.path) for one in recounts for _ in one.table])


def write_recounts(path: Path, recounts: Sequence[Recount]) -> None:
    """Write the table with the columns of accuracy.parquet; with several sources, a column `folder` comes first.

    In the format of the path's extension. Raises as `write_table` does.
    """
    if len(recounts) == 1:
        write_accuracy(path, recounts[0].table)
        return
    rows = [_FolderRow(folder=str(one.source.path), row=row) for one in recounts for row in one.table]
    write_table(path, list(map(as_record, rows)), arrow_schema(_FolderRow))
