"""stress.parquet: accuracy by kind and level of annotation error, beside the plain model and the error-free annotation.

Questions are paired by id, whatever their dataset and split. Intervals are clustered by episode, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from socialcli.results.columns import arrow_schema, as_record, column, table_row
from socialcli.results.formats import write_table
from socialcli.stats.accuracy import OVERALL
from socialcli.stats.intervals import accuracy_interval
from socialcli.stats.paired import ComparedRow, compared_row
from socialcli.stats.pairing import Answered, Pair, pair_up
from socialcli.verbs.stress.levels import ErrorLevels

_NEEDED = (
    *("question_id", "episode_id", "dataset", "split", "task", "candidates", "order"),
    *("prediction", "prediction_index"),
    *("answer", "answer_index", "correct", "status", "error"),
)

Condition = tuple[str, float] | None  # kind and level; None: the annotation as it is
Answers = Mapping[str, Any]


@table_row
class StressRow:
    """One row of the table. Failed and unparsed questions are wrong answers; accuracies are shares of 1."""

    perturbation: str = column("kind of annotation error")
    level: float = column("its size, in the unit of the kind; 0: the annotation as it is")
    task: str = column("the task; `all`: all tasks together, if there are several")
    n: int = column("labelled questions with more than one candidate")
    episodes: int = column("their episodes")
    failed: int = column("questions that failed with the error, labelled or not; labelled ones count as wrong")
    accuracy: float | None = column("accuracy with the alignment, planned with the error; null where `n` is 0")
    ci_low: float | None = column("lower end of its 95 % interval; null with a single episode")
    ci_high: float | None = column("upper end")
    plain: float | None = column("accuracy of the plain model, which no annotation reaches")
    plain_ci_low: float | None = column("lower end of its 95 % interval")
    plain_ci_high: float | None = column("upper end")
    gain: float | None = column("`accuracy - plain`, paired by question")
    gain_ci_low: float | None = column("lower end of its 95 % interval; null with a single episode")
    gain_ci_high: float | None = column("upper end")
    gain_p: float | None = column("two-sided p-value of the gain, signs flipped by episode")
    change: float | None = column("`accuracy` less that at level 0, paired by question; 0 at level 0")
    change_ci_low: float | None = column("lower end of its 95 % interval")
    change_ci_high: float | None = column("upper end")
    change_p: float | None = column("two-sided p-value of the change")

    @property
    def dataset(self) -> None:
        """None: a row counts all datasets together."""

    @property
    def split(self) -> None:
        """None: a row counts all splits together."""

    def as_record(self) -> dict[str, Any]:
        """The row as JSON values."""
        return as_record(self)

    @property
    def helps(self) -> bool:
        """Whether the alignment is better than the plain model by more than chance explains."""
        return self.gain_ci_low is not None and self.gain_ci_low > 0

    @property
    def hurts(self) -> bool:
        """Whether it is worse by more than chance explains."""
        return self.gain_ci_high is not None and self.gain_ci_high < 0


STRESS_ARROW_SCHEMA = arrow_schema(StressRow)


def write_stress(path: Path, rows: Sequence[StressRow]) -> None:
    """Write the table. Raises as `write_table` does."""
    write_table(path, [row.as_record() for row in rows], STRESS_ARROW_SCHEMA)


def stress_table(predictions: Iterable[Answers], errors: ErrorLevels) -> list[StressRow]:
    """A row per kind, level and task, and for all tasks together, in the order of the kinds.

    Holds an answer per question and condition in memory.
    """
    plain, aligned = _by_condition(predictions)
    if not plain or None not in aligned:
        return []
    exact = _Level.of(plain, aligned[None], aligned[None])
    rows: list[StressRow] = []
    for tested in errors.kinds:
        name = tested.kind.name
        rows += exact.rows(name, 0.0)
        for level in tested.levels:
            if (found := aligned.get((name, level))) is not None:
                rows += _Level.of(plain, aligned[None], found).rows(name, level)
    return rows


def _by_condition(predictions: Iterable[Answers]) -> tuple[list[Answers], dict[Condition, list[Answers]]]:
    """The answers of the plain model, and those with the alignment by annotation error."""
    plain: list[Answers] = []
    aligned: dict[Condition, list[Answers]] = {}
    for row in predictions:
        answer = {name: row[name] for name in _NEEDED}
        if row["alignment"]:
            error = None if row["perturbation"] is None else (row["perturbation"], row["level"])
            aligned.setdefault(error, []).append(answer)
        else:
            plain.append(answer)
    return plain, aligned


@dataclass(frozen=True, slots=True)
class _Level:
    """The answers at one level, paired with the plain model's and with those at level 0; by task, the last for all."""

    with_plain: Mapping[str, Sequence[Pair]]
    with_exact: Mapping[str, Sequence[Pair]]

    @classmethod
    def of(cls, plain: Sequence[Answers], exact: Sequence[Answers], found: Sequence[Answers]) -> _Level:
        return cls(_by_task(pair_up(plain, found).pairs), _by_task(pair_up(exact, found).pairs))

    def rows(self, kind: str, level: float) -> Iterator[StressRow]:
        for task, pairs in self.with_plain.items():
            gain = compared_row((task, None, None), pairs)
            change = compared_row((task, None, None), self.with_exact[task])
            yield _row(kind, level, gain, change, _interval(one.b for one in pairs if one.counted), pairs)


def _row(
    kind: str,
    level: float,
    gain: ComparedRow,
    change: ComparedRow,
    own: tuple[float | None, float | None],
    pairs: Sequence[Pair],
) -> StressRow:
    plain = _interval(one.a for one in pairs if one.counted)
    return StressRow(
        perturbation=kind,
        level=level,
        task=gain.task,
        n=gain.n,
        episodes=gain.episodes,
        failed=gain.failed_b,
        accuracy=gain.accuracy_b,
        ci_low=own[0],
        ci_high=own[1],
        plain=gain.accuracy_a,
        plain_ci_low=plain[0],
        plain_ci_high=plain[1],
        gain=gain.difference,
        gain_ci_low=gain.ci_low,
        gain_ci_high=gain.ci_high,
        gain_p=gain.p,
        change=change.difference,
        change_ci_low=change.ci_low,
        change_ci_high=change.ci_high,
        change_p=change.p,
    )


def _by_task(pairs: Iterable[Pair]) -> dict[str, list[Pair]]:
    """The pairs by task, in alphabetical order; those of all tasks last, if there are several."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.a.task, []).append(pair)
    together = {OVERALL: list(chain.from_iterable(found.values()))} if len(found) > 1 else {}
    return {task: found[task] for task in sorted(found)} | together


def _interval(answers: Iterable[Answered]) -> tuple[float | None, float | None]:
    counts: dict[str, tuple[int, int]] = {}
    for one in answers:
        n, correct = counts.get(one.episode_id, (0, 0))
        counts[one.episode_id] = n + 1, correct + one.correct
    return accuracy_interval(counts.values()) or (None, None)
