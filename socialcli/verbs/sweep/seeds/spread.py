"""seeds.parquet: the accuracy of each setting over the seeds: mean, standard deviation and range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from socialcli.jobs.grid import PLAIN, Setting, setting_of
from socialcli.jobs.splits import Splits
from socialcli.results.columns import arrow_schema, as_record, column, from_record, table_row
from socialcli.results.formats import write_table
from socialcli.stats.accuracy import OVERALL
from socialcli.verbs.sweep.choice import SweepTable

Sweeps = Mapping[int, tuple[SweepTable, Splits]]  # by seed


@table_row
class SpreadRow:
    """One setting, task and split over the seeds. Accuracies are shares of 1; failed and unparsed answers are wrong."""

    task: str = column("the task; `all`: the mean of the tasks' accuracies, if there are several")
    split: str | None = column("the split; null: the episodes without one")
    alpha: float | None = column("the setting, all null for the plain model")
    lambda_: float | None = column("as above")
    layers: str | None = column("as above")
    bias: str | None = column("as above")
    heads_by: str | None = column("as above")
    max_heads: int | None = column("as above")
    steer: str | None = column("as above")
    balance: float | None = column("as above")
    seeds: int = column("the number of seeds")
    accuracy: float = column("mean over the seeds")
    accuracy_sd: float = column("standard deviation over the seeds, with n - 1")
    accuracy_low: float = column("the lowest of a seed")
    accuracy_high: float = column("the highest of a seed")
    gain: float = column("mean over the seeds of the accuracy less that of the plain model of the same seed")
    gain_sd: float = column("its standard deviation over the seeds")
    gain_low: float = column("the lowest of a seed")
    gain_high: float = column("the highest of a seed")

    @property
    def setting(self) -> Setting:
        """The setting."""
        return setting_of(self)

    def as_record(self) -> dict[str, Any]:
        """The row as JSON values."""
        return as_record(self)


SPREAD_ARROW_SCHEMA = arrow_schema(SpreadRow)


def write_spread(path: Path, rows: Sequence[SpreadRow]) -> None:
    """Write the table. Raises as `write_table` does."""
    write_table(path, [row.as_record() for row in rows], SPREAD_ARROW_SCHEMA)


def spread_table(sweeps: Sweeps) -> list[SpreadRow]:
    """A row for each split, task and setting that has an accuracy with every seed; the validation split first."""
    tables = [table for table, _ in sweeps.values()]
    first, splits = next(iter(sweeps.values()))
    shown = [split for split in dict.fromkeys((splits.validation, *splits.test)) if first.labelled(split)]
    return [row for split in shown for row in _of_split(tables, split, first.labelled(split))]


def _of_split(tables: Sequence[SweepTable], split: str | None, tasks: Sequence[str]) -> Iterator[SpreadRow]:
    groups = [(task, (task,)) for task in tasks] + ([(OVERALL, tuple(tasks))] if len(tasks) > 1 else [])
    for name, together in groups:
        plain = [table.mean(split, together, PLAIN) for table in tables]
        for setting in tables[0].settings:
            found = [table.mean(split, together, setting) for table in tables]
            pairs = [
                (one, base) for one, base in zip(found, plain, strict=True) if one is not None and base is not None
            ]
            if len(pairs) == len(tables):
                accuracies, gains = [one for one, _ in pairs], [one - base for one, base in pairs]
                record: dict[str, Any] = {"task": name, "split": split, "seeds": len(tables)}
                record |= {str(option): value for option, value in setting.as_record().items()}
                yield from_record(SpreadRow, {**record, **_figures("accuracy", accuracies), **_figures("gain", gains)})


def _figures(name: str, values: Sequence[float]) -> dict[str, float]:
    low, high = min(values), max(values)
    return {name: fmean(values), f"{name}_sd": stdev(values), f"{name}_low": low, f"{name}_high": high}
