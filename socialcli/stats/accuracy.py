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
from socialcli.results.casting import cast_to_schema
from socialcli.results.columns import arrow_schema, as_record, column, columns_of, from_record, table_row
from socialcli.results.formats import write_table
from socialcli.results.predictions import ALIGNED, Prediction
from socialcli.stats.intervals import accuracy_interval
from socialcli.tasks.base import ALL_TASKS

OVERALL = ALL_TASKS  # the task of the row that counts all tasks together


@table_row
class Group:
    """The columns that the questions of a row of the table have in common, in the order by which rows are sorted.

    They are those of `Prediction`.
    """

    model: str = column("as above")
    task: str = column("as above")
    dataset: str | None = column("as above")
    split: str | None = column("as above")
    checkpoint: str = column("as above")
    adapter: str | None = column("as above")
    alignment: bool = column("as above")
    alpha: float | None = column("as above")
    lambda_: float | None = column("as above")
    layers: str | None = column("as above")
    bias: str | None = column("as above")
    heads: str | None = column("as above")
    max_heads: int | None = column("as above")
    inputs: str = column("as above")
    boxes_as: str = column("as above")
    context: str = column("as above")
    answer_mode: str = column("as above")


@table_row
class AccuracyRow(Group):
    """One row of the table. Failed and unparsed questions are wrong answers.

    Accuracies and chance are shares of 1; None without questions to take a share of.
    """

    n: int = column("labelled questions with more than one candidate, failed and unparsed ones included")
    episodes: int = column("their episodes")
    correct: int = column("correct ones among them")
    accuracy: float | None = column("`correct / n`, 0 to 1; null where `n` is 0")
    ci_low: float | None = column("lower end of the 95 % interval; null with fewer than two episodes")
    ci_high: float | None = column("upper end")
    failed: int = column("failed questions, labelled or not")
    unparsed: int = column("questions whose answer could not be parsed, labelled or not")
    unlabelled: int = column("questions with more than one candidate and no gold answer, not counted in `n`")
    single_candidate: int = column(
        "questions with one candidate, labelled or not, which cannot be wrong: not counted in `n` and `chance`"
    )
    chance: float | None = column(
        "the accuracy of guessing: the mean of 1 / (number of candidates) over the questions of `n` whose candidates "
        "are known"
    )
    negative_bias: float | None = column(
        "mean of the predictions' `negative_bias`: how often the bias takes attention away from the speaker's region; "
        "null where no row has a bias"
    )

    def as_record(self) -> dict[str, Any]:
        """The row as JSON values, under the names of the columns (`lambda`, not `lambda_`)."""
        return as_record(self)


ACCURACY_ARROW_SCHEMA = arrow_schema(AccuracyRow)
GROUP_COLUMNS = tuple(one.name for one in columns_of(Group))
# The strength of the alignment: null in every unaligned row.
STRENGTH_COLUMNS = tuple(
    one.name for one in columns_of(Prediction) if one.name in GROUP_COLUMNS and ALIGNED in (one.exactly_if, one.only_if)
)
_TASK = GROUP_COLUMNS.index("task")

_Values = tuple[Any, ...]  # of the `GROUP_COLUMNS`


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
    tallies: dict[_Values, _Tally] = {}
    for row in rows:
        group = tuple(row[name] for name in GROUP_COLUMNS)
        tallies.setdefault(group, _Tally()).add(row)
    tallies |= _overall(tallies)
    return [_summarised(group, tallies[group]) for group in sorted(tallies, key=_order)]


def _overall(tallies: Mapping[_Values, _Tally]) -> dict[_Values, _Tally]:
    """The tallies of all tasks together, where there are several."""
    parts: dict[_Values, list[_Tally]] = {}
    for group, tally in tallies.items():
        parts.setdefault(tuple(OVERALL if place == _TASK else value for place, value in enumerate(group)), []).append(
            tally
        )
    found = {group: _Tally() for group, tasks in parts.items() if sum(bool(tally.episodes) for tally in tasks) > 1}
    for group, together in found.items():
        for tally in parts[group]:
            together.add_all(tally)
    return found


def _summarised(group: _Values, tally: _Tally) -> AccuracyRow:
    named = {one.attribute: value for one, value in zip(columns_of(Group), group, strict=True)}
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


def _order(group: _Values) -> tuple[tuple[bool, Any], ...]:
    return nulls_first(tuple(overall_last(value) if place == _TASK else value for place, value in enumerate(group)))


def nulls_first(group: _Values) -> tuple[tuple[bool, Any], ...]:
    """What to sort rows by whose columns `group` tell them apart: null before any value."""
    return tuple((value is not None, value) for value in group)


def write_accuracy(path: Path, rows: Sequence[AccuracyRow]) -> None:
    """Write the table in the format of the path's ending. Raises as `write_table` does."""
    write_table(path, [row.as_record() for row in rows], ACCURACY_ARROW_SCHEMA)


def read_accuracy(path: Path) -> list[AccuracyRow]:
    """Read a table that `write_accuracy` wrote. Raises InvalidInputError where it cannot be read."""
    try:
        table = cast_to_schema(pq.ParquetFile(path).read(), ACCURACY_ARROW_SCHEMA)
        return [from_record(AccuracyRow, record) for record in table.to_pylist()]
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise InvalidInputError(f"{path}: cannot be read as an accuracy table: {error}") from error
