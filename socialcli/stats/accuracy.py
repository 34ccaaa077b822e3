"""accuracy.parquet: how often a model was right, for each task, dataset, split and condition."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError
from socialcli.results.casting import fitted
from socialcli.results.formats import write_table
from socialcli.results.predictions import PREDICTION_ARROW_SCHEMA
from socialcli.stats.intervals import accuracy_interval
from socialcli.tasks.base import ALL_TASKS

OVERALL = ALL_TASKS  # the task of the row that counts all tasks together


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyRow:
    """One line of the table. docs/output.md explains every column.

    `n` counts all labelled questions, failed and unparsed ones included: these are wrong answers. A question with a
    single candidate cannot be wrong, so that it is in no `n`, but in `single_candidate`. `failed` and `unparsed` count
    these and unlabelled questions too, so that no failure is hidden. `accuracy` and `chance` are shares of 1; None
    where there is nothing to take a share of.
    """

    model: str
    task: str
    dataset: str | None
    split: str | None
    checkpoint: str
    adapter: str | None
    alignment: bool
    alpha: float | None
    lambda_: float | None
    layers: str | None
    bias: str | None
    heads: str | None
    max_heads: int | None
    inputs: str
    boxes_as: str
    context: str
    answer_mode: str
    n: int
    episodes: int  # that the labelled questions are of
    correct: int
    accuracy: float | None
    ci_low: float | None  # the ends of the 95 % interval, see `socialcli.stats.intervals`
    ci_high: float | None
    failed: int
    unparsed: int
    unlabelled: int
    single_candidate: int
    chance: float | None  # the accuracy of guessing
    negative_bias: float | None  # the mean over rows that have a bias; None: no row has one

    def as_record(self) -> dict[str, Any]:
        """The row as JSON values, under the names of the columns (`lambda`, not `lambda_`)."""
        return {item.name.rstrip("_"): getattr(self, item.name) for item in dataclasses.fields(self)}


# The columns that tell one row of the table from another, in the order by which rows are sorted.
GROUP_COLUMNS = (
    *("model", "task", "dataset", "split", "checkpoint", "adapter", "alignment", "alpha", "lambda", "layers", "bias"),
    *("heads", "max_heads", "inputs", "boxes_as", "context", "answer_mode"),
)
_TASK = GROUP_COLUMNS.index("task")

_Group = tuple[Any, ...]  # the values of the `GROUP_COLUMNS`

ACCURACY_ARROW_SCHEMA: pa.Schema = pa.schema(
    [
        *(PREDICTION_ARROW_SCHEMA.field(name) for name in GROUP_COLUMNS),
        pa.field("n", pa.int32(), nullable=False),
        pa.field("episodes", pa.int32(), nullable=False),
        pa.field("correct", pa.int32(), nullable=False),
        pa.field("accuracy", pa.float64()),
        pa.field("ci_low", pa.float64()),
        pa.field("ci_high", pa.float64()),
        pa.field("failed", pa.int32(), nullable=False),
        pa.field("unparsed", pa.int32(), nullable=False),
        pa.field("unlabelled", pa.int32(), nullable=False),
        pa.field("single_candidate", pa.int32(), nullable=False),
        pa.field("chance", pa.float64()),
        pa.field("negative_bias", pa.float64()),
    ]
)


@dataclass(slots=True)
class _Tally:
    """What is counted of one group while rows stream by."""

    episodes: dict[str, tuple[int, int]] = field(default_factory=dict)  # id -> labelled questions, correct ones
    failed: int = 0
    unparsed: int = 0
    unlabelled: int = 0
    single_candidate: int = 0
    guessable: int = 0  # labelled questions whose candidates are known
    guessed: float = 0.0  # sum of their chances
    biased: int = 0  # questions, labelled or not, in which the alignment had something to do
    negative: float = 0.0  # sum of their shares of rows with a negative bias

    def add(self, row: Mapping[str, Any]) -> None:
        if row["negative_bias"] is not None:
            self.biased += 1
            self.negative += row["negative_bias"]
        self.failed += row["status"] == "failed"
        self.unparsed += row["status"] == "unparsed"
        if single_candidate(row["candidates"]):
            self.single_candidate += 1
            return
        if row["answer"] is None:
            self.unlabelled += 1
            return
        self._add_labelled(row["episode_id"], 1, int(bool(row["correct"])))
        if row["candidates"]:
            self.guessable += 1
            self.guessed += 1 / len(row["candidates"])

    def add_all(self, other: _Tally) -> None:
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for episode, counts in other.episodes.items():
            self._add_labelled(episode, *counts)

    def _add_labelled(self, episode: str, questions: int, correct: int) -> None:
        before = self.episodes.get(episode, (0, 0))
        self.episodes[episode] = before[0] + questions, before[1] + correct


_SUMS = tuple(item.name for item in dataclasses.fields(_Tally) if item.name != "episodes")


def single_candidate(candidates: Collection[str] | None) -> bool:
    """Whether a question with these candidates cannot be answered wrong. None: it failed before they were known."""
    return candidates is not None and len(candidates) == 1


def accuracy_table(rows: Iterable[Mapping[str, Any]]) -> list[AccuracyRow]:
    """Count `rows` of predictions into a row per model, task, dataset, split and condition, sorted by these.

    Where a dataset and split was asked several tasks under a condition, an `OVERALL` row counts their questions
    together; it stands behind those of the tasks. A failed question is wrong, and one that failed before its
    candidates were known is left out of `chance` alone. Intervals are clustered by episode. Memory grows with the
    episodes, not the rows.
    """
    tallies: dict[_Group, _Tally] = {}
    for row in rows:
        group = tuple(row[name] for name in GROUP_COLUMNS)
        tallies.setdefault(group, _Tally()).add(row)
    tallies |= _overall(tallies)
    return [_summarised(group, tallies[group]) for group in sorted(tallies, key=_order)]


def _overall(tallies: Mapping[_Group, _Tally]) -> dict[_Group, _Tally]:
    """The tallies of all tasks together, where there are several."""
    parts: dict[_Group, list[_Tally]] = {}
    for group, tally in tallies.items():
        parts.setdefault(tuple(OVERALL if place == _TASK else value for place, value in enumerate(group)), []).append(
            tally
        )
    found = {group: _Tally() for group, tasks in parts.items() if sum(bool(tally.episodes) for tally in tasks) > 1}
    for group, together in found.items():
        for tally in parts[group]:
            together.add_all(tally)
    return found


def _summarised(group: _Group, tally: _Tally) -> AccuracyRow:
    named = {"lambda_" if name == "lambda" else name: value for name, value in zip(GROUP_COLUMNS, group, strict=True)}
    n = sum(questions for questions, _ in tally.episodes.values())
    correct = sum(right for _, right in tally.episodes.values())
    interval = accuracy_interval(tally.episodes.values())
    return AccuracyRow(
        **named,
        n=n,
        episodes=len(tally.episodes),
        correct=correct,
        accuracy=correct / n if n else None,
        ci_low=interval[0] if interval else None,
        ci_high=interval[1] if interval else None,
        failed=tally.failed,
        unparsed=tally.unparsed,
        unlabelled=tally.unlabelled,
        single_candidate=tally.single_candidate,
        chance=tally.guessed / tally.guessable if tally.guessable else None,
        negative_bias=tally.negative / tally.biased if tally.biased else None,
    )


def overall_last(task: str) -> tuple[bool, str]:
    """What to sort tasks by: the `OVERALL` row behind those of the tasks."""
    return task == OVERALL, task


def _order(group: _Group) -> tuple[tuple[bool, Any], ...]:
    return nulls_first(tuple(overall_last(value) if place == _TASK else value for place, value in enumerate(group)))


def nulls_first(group: _Group) -> tuple[tuple[bool, Any], ...]:
    """What to sort rows by whose columns `group` tell them apart: null before any value."""
    return tuple((value is not None, value) for value in group)


def write_accuracy(path: Path, rows: Sequence[AccuracyRow]) -> None:
    """Write the table in the format of the path's ending. Raises as `write_table` does."""
    write_table(path, [row.as_record() for row in rows], ACCURACY_ARROW_SCHEMA)


def read_accuracy(path: Path) -> list[AccuracyRow]:
    """Read a table that `write_accuracy` wrote. Raises InvalidInputError where it cannot be read."""
    try:
        records = fitted(pq.ParquetFile(path).read(), ACCURACY_ARROW_SCHEMA).to_pylist()
        return [
            AccuracyRow(**{"lambda_" if name == "lambda" else name: record[name] for name in record})
            for record in records
        ]
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise InvalidInputError(f"{path}: cannot be read as an accuracy table: {error}") from error
