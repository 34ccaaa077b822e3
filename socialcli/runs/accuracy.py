"""accuracy.parquet: how often a model was right, for each task, dataset, split and condition."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError
from socialcli.files import atomic_write
from socialcli.runs.bootstrap import DRAWS, clustered_interval
from socialcli.runs.predictions import PREDICTION_ARROW_SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyRow:
    """One line of the table. docs/output.md explains every column.

    `n` counts all labelled questions, failed and unparsed ones included: these are wrong answers. `failed`
    and `unparsed` count labelled and unlabelled questions alike, so that no failure is hidden. `accuracy` and
    `chance` are shares of 1; None where there is nothing to take a share of.
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
    correct: int
    accuracy: float | None
    ci_low: float | None  # the ends of the 95 % interval, see `socialcli.runs.bootstrap`
    ci_high: float | None
    failed: int
    unparsed: int
    unlabelled: int
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

ACCURACY_ARROW_SCHEMA: pa.Schema = pa.schema(
    [
        *(PREDICTION_ARROW_SCHEMA.field(name) for name in GROUP_COLUMNS),
        pa.field("n", pa.int32(), nullable=False),
        pa.field("correct", pa.int32(), nullable=False),
        pa.field("accuracy", pa.float64()),
        pa.field("ci_low", pa.float64()),
        pa.field("ci_high", pa.float64()),
        pa.field("failed", pa.int32(), nullable=False),
        pa.field("unparsed", pa.int32(), nullable=False),
        pa.field("unlabelled", pa.int32(), nullable=False),
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
        if row["answer"] is None:
            self.unlabelled += 1
            return
        n, correct = self.episodes.get(row["episode_id"], (0, 0))
        self.episodes[row["episode_id"]] = n + 1, correct + bool(row["correct"])
        if row["candidates"]:
            self.guessable += 1
            self.guessed += 1 / len(row["candidates"])


def accuracy_table(rows: Iterable[Mapping[str, Any]], seed: int = 0, draws: int = DRAWS) -> list[AccuracyRow]:
    """Count `rows` of predictions into a row per model, task, dataset, split and condition, sorted by these.

    A failed question is wrong, an unlabelled one is left out of `n`, and a question that failed before its
    candidates were known is left out of `chance` alone. Intervals are clustered by episode, from `draws`
    resamples seeded by `seed` and what the questions are, not by the condition: so the conditions of the same
    questions see the same resamples. Memory grows with the episodes, not the rows.
    """
    tallies: dict[tuple[Any, ...], _Tally] = {}
    for row in rows:
        group = tuple(row[name] for name in GROUP_COLUMNS)
        tallies.setdefault(group, _Tally()).add(row)
    return [_summarised(group, tallies[group], seed, draws) for group in sorted(tallies, key=nulls_first)]


def _summarised(group: tuple[Any, ...], tally: _Tally, seed: int, draws: int) -> AccuracyRow:
    named = {"lambda_" if name == "lambda" else name: value for name, value in zip(GROUP_COLUMNS, group, strict=True)}
    n = sum(questions for questions, _ in tally.episodes.values())
    correct = sum(right for _, right in tally.episodes.values())
    own_seed = questions_seed(seed, named["task"], named["dataset"], named["split"])
    interval = clustered_interval(tally.episodes.values(), own_seed, draws)
    return AccuracyRow(
        **named,
        n=n,
        correct=correct,
        accuracy=correct / n if n else None,
        ci_low=interval[0] if interval else None,
        ci_high=interval[1] if interval else None,
        failed=tally.failed,
        unparsed=tally.unparsed,
        unlabelled=tally.unlabelled,
        chance=tally.guessed / tally.guessable if tally.guessable else None,
        negative_bias=tally.negative / tally.biased if tally.biased else None,
    )


def nulls_first(group: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    """What to sort rows by whose columns `group` tell them apart: null before any value."""
    return tuple((value is not None, value) for value in group)


def questions_seed(seed: int, task: str, dataset: str | None, split: str | None) -> int:
    """The seed of the resamples of a task's questions in a dataset and split, whatever they were asked under."""
    parts = (seed, task, dataset, split)
    return int.from_bytes(hashlib.sha256(json.dumps(parts).encode("ascii")).digest()[:8])


def write_accuracy(path: Path, rows: Sequence[AccuracyRow]) -> None:
    """Write the table as a Parquet file, whole or not at all. Raises OSError where it cannot be written."""
    table = pa.Table.from_pylist([row.as_record() for row in rows], schema=ACCURACY_ARROW_SCHEMA)
    with atomic_write(path) as file:
        pq.write_table(table, file, compression="zstd")


def read_accuracy(path: Path) -> list[AccuracyRow]:
    """Read a table that `write_accuracy` wrote. Raises InvalidInputError where it cannot be read."""
    try:
        records = pq.ParquetFile(path).read().to_pylist()
        return [
            AccuracyRow(**{"lambda_" if name == "lambda" else name: record[name] for name in record})
            for record in records
        ]
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise InvalidInputError(f"{path}: cannot be read as an accuracy table: {error}") from error
