"""accuracy.parquet: how often a model is right, for each task, dataset, split and condition."""

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
from socialcli.results.predictions import STRENGTH, Prediction
from socialcli.stats.intervals import accuracy_interval
from socialcli.stats.orders import OrderedAnswers, Question, add_row, order_figures
from socialcli.tasks.names import ALL_TASKS

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
    heads_by: str | None = column("as above")
    heads_seed: int | None = column("as above")
    steer: str | None = column("as above")
    balance: float | None = column("as above")
    regions: str | None = column("as above")
    region_share: float | None = column("as above")
    perturbation: str | None = column("as above")
    level: float | None = column("as above")
    perturbation_seed: int | None = column("as above")
    inputs: str = column("as above")
    boxes_as: str = column("as above")
    context: str = column("as above")
    answer_mode: str = column("as above")


@table_row
class AccuracyRow(Group):
    """One row of the table. Failed and unparsed answers are wrong.

    Accuracies and chance are shares of 1; None without answers to take a share of.
    """

    n: int = column(
        "answers to labelled questions with more than one candidate, failed and unparsed ones included: one a "
        "question, or with `--permute` one for each order of its candidates"
    )
    episodes: int = column("their episodes")
    correct: int = column("correct ones among them")
    accuracy: float | None = column("`correct / n`, 0 to 1; null where `n` is 0")
    ci_low: float | None = column("lower end of the 95 % interval; null with fewer than two episodes")
    ci_high: float | None = column("upper end")
    failed: int = column("failed answers, to labelled questions or not, counted as in `n`")
    unparsed: int = column("answers that could not be parsed, counted in the same way")
    unlabelled: int = column(
        "answers to questions with more than one candidate and no gold answer, counted in the same way, but not in `n`"
    )
    single_candidate: int = column(
        "questions with one candidate, labelled or not, which cannot be wrong: not counted in `n` and `chance`"
    )
    chance: float | None = column(
        "the accuracy of guessing: the mean of 1 / (number of candidates) over the answers of `n` whose candidates "
        "are known"
    )
    negative_bias: float | None = column(
        "mean of the predictions' `negative_bias`: how often the bias takes attention away from the speaker's region; "
        "null where no row has a bias"
    )
    active_head_count: float | None = column(
        "mean of the predictions' `active_head_count`; null where not aligned, and without a row that has one"
    )
    orders: int | None = column(
        "the most orders of the candidates that a question was asked in; null without `--permute`, as are the next five"
    )
    questions: int | None = column("the questions whose answers `n` counts")
    circular_accuracy: float | None = column("share of these questions that were answered correctly in every order")
    circular_ci_low: float | None = column("lower end of its 95 % interval; null with fewer than two episodes")
    circular_ci_high: float | None = column("upper end")
    position_bias: float | None = column(
        "share of pairs of orders in which the answer keeps its letter and so changes the candidate, averaged over the "
        "questions, labelled or not; only pairs with two answers and another candidate at every letter count"
    )

    def as_record(self) -> dict[str, Any]:
        """The row as JSON values, under the names of the columns (`lambda`, not `lambda_`)."""
        return as_record(self)


ACCURACY_ARROW_SCHEMA = arrow_schema(AccuracyRow)
GROUP_COLUMNS = tuple(one.name for one in columns_of(Group))
# The strength of the alignment: null in every unaligned row.
STRENGTH_COLUMNS = tuple(one.name for one in columns_of(Prediction) if one.attribute in STRENGTH)
_TASK = GROUP_COLUMNS.index("task")

_Values = tuple[Any, ...]  # of the `GROUP_COLUMNS`


@dataclass(slots=True)
class _Counts:
    """The counts of one group, while rows stream by."""

    episodes: dict[str, tuple[int, int]] = field(default_factory=dict)  # id -> labelled questions, correct ones
    failed: int = 0
    unparsed: int = 0
    unlabelled: int = 0
    single_candidate: int = 0
    guessable: int = 0  # labelled questions whose candidates are known
    guessed: float = 0.0  # sum of their chances
    biased: int = 0  # questions, labelled or not, with biased rows
    negative: float = 0.0  # sum of their shares of rows with a negative bias
    headed: int = 0  # questions, labelled or not, whose active heads were counted
    heads: int = 0  # sum of their active heads
    ordered: dict[Question, OrderedAnswers] = field(default_factory=dict)  # by question, with --permute

    def add(self, row: Mapping[str, Any]) -> None:
        if row["negative_bias"] is not None:
            self.biased += 1
            self.negative += row["negative_bias"]
        if row["active_head_count"] is not None:
            self.headed += 1
            self.heads += row["active_head_count"]
        add_row(self.ordered, row, row["answer"] is not None and not single_candidate(row["candidates"]))
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

    def add_all(self, other: _Counts) -> None:
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.ordered |= other.ordered
        for episode, counts in other.episodes.items():
            self._add_labelled(episode, *counts)

    def _add_labelled(self, episode: str, questions: int, correct: int) -> None:
        before = self.episodes.get(episode, (0, 0))
        self.episodes[episode] = before[0] + questions, before[1] + correct


_SUMS = tuple(item.name for item in dataclasses.fields(_Counts) if item.name not in ("episodes", "ordered"))


def single_candidate(candidates: Collection[str] | None) -> bool:
    """Whether a question has one candidate, and so cannot be answered wrong. None: it failed before they were known."""
    return candidates is not None and len(candidates) == 1


def accuracy_table(rows: Iterable[Mapping[str, Any]]) -> list[AccuracyRow]:
    """Count `rows` of predictions into a row per model, task, dataset, split and condition, sorted by these.

    If several tasks of a dataset and split were asked under a condition, an `OVERALL` row after theirs counts their
    questions together. A failed question is wrong; if its candidates are unknown, it counts in all but `chance`.
    Intervals are clustered by episode. Memory grows with the episodes, not the rows; with `--permute`, with these.
    """
    counts: dict[_Values, _Counts] = {}
    for row in rows:
        group = tuple(row[name] for name in GROUP_COLUMNS)
        counts.setdefault(group, _Counts()).add(row)
    counts |= _overall(counts)
    return [_summarised(group, counts[group]) for group in sorted(counts, key=_order)]


def _overall(counts: Mapping[_Values, _Counts]) -> dict[_Values, _Counts]:
    """The counts of all tasks together, where there are several."""
    parts: dict[_Values, list[_Counts]] = {}
    for group, one in counts.items():
        overall = tuple(OVERALL if place == _TASK else value for place, value in enumerate(group))
        parts.setdefault(overall, []).append(one)
    found = {group: _Counts() for group, tasks in parts.items() if sum(bool(one.episodes) for one in tasks) > 1}
    for group, together in found.items():
        for one in parts[group]:
            together.add_all(one)
    return found


def _summarised(group: _Values, counts: _Counts) -> AccuracyRow:
    named = {one.attribute: value for one, value in zip(columns_of(Group), group, strict=True)}
    n = sum(questions for questions, _ in counts.episodes.values())
    correct = sum(right for _, right in counts.episodes.values())
    figures = order_figures(counts.ordered.values())
    interval = accuracy_interval(counts.episodes.values(), n / (figures["questions"] or n or 1))
    return AccuracyRow(
        **named,
        n=n,
        episodes=len(counts.episodes),
        correct=correct,
        accuracy=correct / n if n else None,
        ci_low=interval[0] if interval else None,
        ci_high=interval[1] if interval else None,
        failed=counts.failed,
        unparsed=counts.unparsed,
        unlabelled=counts.unlabelled,
        single_candidate=counts.single_candidate,
        chance=counts.guessed / counts.guessable if counts.guessable else None,
        negative_bias=counts.negative / counts.biased if counts.biased else None,
        active_head_count=counts.heads / counts.headed if counts.headed else None,
        **figures,
    )


def overall_last(task: str) -> tuple[bool, str]:
    """The sort key of a task: `OVERALL` comes last."""
    return task == OVERALL, task


def _order(group: _Values) -> tuple[tuple[bool, Any], ...]:
    return nulls_first(tuple(overall_last(value) if place == _TASK else value for place, value in enumerate(group)))


def nulls_first(group: _Values) -> tuple[tuple[bool, Any], ...]:
    """The sort key of a row in `group`: null before any value."""
    return tuple((value is not None, value) for value in group)


def write_accuracy(path: Path, rows: Sequence[AccuracyRow]) -> None:
    """Write the table in the format of the path's extension. Raises as `write_table` does."""
    write_table(path, [row.as_record() for row in rows], ACCURACY_ARROW_SCHEMA)


def read_accuracy(path: Path) -> list[AccuracyRow]:
    """Read a table that `write_accuracy` wrote. Raises InvalidInputError if it cannot be read."""
    try:
        table = cast_to_schema(pq.ParquetFile(path).read(), ACCURACY_ARROW_SCHEMA)
        return [from_record(AccuracyRow, record) for record in table.to_pylist()]
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise InvalidInputError(f"{path}: cannot be read as an accuracy table: {error}") from error
