"""Chooses the best setting of a sweep on one split, and reports it on the others.

`best` receives the rows of the validation split alone, so that no figure of another split can influence the choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from socialcli.alignment.layers import check_layers
from socialcli.jobs.grid import PLAIN, Setting, setting_of
from socialcli.jobs.splits import Splits
from socialcli.stats.accuracy import OVERALL, AccuracyRow, accuracy_table
from socialcli.stats.paired import ComparedRow, compared_row
from socialcli.stats.pairing import Pair, pair_up

FIGURES = ("n", "episodes", "correct", "accuracy", "ci_low", "ci_high")

RULE = (
    "the highest accuracy in the validation split, failed and unparsed answers being wrong and the datasets of a task "
    "counted together; for all tasks together the highest mean of their accuracies; of equal settings the nearest to "
    "the plain model: the plain model, the smallest alpha, the fewest active heads, the largest lambda, the fewest "
    "layers, the lowest --max-heads, then the first in the order of the values"
)
"""The rule of `best` in words."""

Key = tuple[str, str | None, Setting]  # task, split, setting
Place = tuple[str | None, tuple[str, ...]]  # a split, and the tasks whose questions in it are counted together


class SweepTable:
    """The accuracy of every setting, task and split, with the datasets of a task counted together."""

    def __init__(
        self,
        accuracy: Sequence[AccuracyRow],
        predictions: Callable[[], Iterable[Mapping[str, Any]]],
        settings: Sequence[Setting],
    ) -> None:
        """Index the rows of accuracy.parquet.

        `predictions` are read again if a task has several datasets, and to compare settings with the plain model.
        """
        rows = [row for row in _pooled(accuracy, predictions) if row.task != OVERALL]
        self._predictions = predictions
        self._rows: dict[Key, AccuracyRow] = {(row.task, row.split, setting_of(row)): row for row in rows}
        self.settings = tuple(settings)
        self.tasks = tuple(sorted({row.task for row in rows}))

    def find(self, task: str, split: str | None, setting: Setting) -> AccuracyRow | None:
        """The row, or None without a labelled question."""
        row = self._rows.get((task, split, setting))
        return row if row is not None and row.n else None

    def labelled(self, split: str | None, tasks: Iterable[str] | None = None) -> tuple[str, ...]:
        """The tasks with labelled questions in the split, among all or these `tasks`."""
        wanted = self.tasks if tasks is None else tasks
        return tuple(task for task in wanted if any(self.find(task, split, one) for one in self.settings))

    def rows(self, split: str | None, tasks: Iterable[str]) -> list[AccuracyRow]:
        """The rows of the split and the tasks under all settings, if they have labelled questions."""
        found = (self.find(task, split, setting) for task in tasks for setting in self.settings)
        return [row for row in found if row is not None]

    def against_plain(self, setting: Setting, wanted: Collection[Place]) -> dict[Place, ComparedRow]:
        """The plain model (A) beside a setting (B), question by question, in each of the `wanted` places.

        Empty for the plain model itself, and if it was not asked. Holds the rows of the wanted splits under both
        settings in memory.
        """
        sides: dict[Setting, list[Mapping[str, Any]]] = {PLAIN: [], setting: []}
        splits = {split for split, _ in wanted}
        for row in self._predictions() if setting != PLAIN and wanted else ():
            one = Setting.from_record(row)
            if one in sides and row["split"] in splits:
                sides[one].append(row)
        if not sides[PLAIN]:
            return {}
        found: dict[tuple[str | None, str], list[Pair]] = {}
        for pair in pair_up(sides[PLAIN], sides[setting]).pairs:
            found.setdefault((pair.a.split, pair.a.task), []).append(pair)
        pairs = {
            (split, tasks): [one for task in tasks for one in found.get((split, task), ())] for split, tasks in wanted
        }
        return {
            (split, tasks): compared_row((tasks[0] if len(tasks) == 1 else OVERALL, None, split), pairs[split, tasks])
            for split, tasks in wanted
        }

    def mean(self, split: str | None, tasks: Sequence[str], setting: Setting) -> float | None:
        """The mean of the tasks' accuracies under a setting; None if one of them has none."""
        rows = [self.find(task, split, setting) for task in tasks]
        found = [Fraction(row.correct, row.n) for row in rows if row is not None]
        return float(sum(found) / len(found)) if found and len(found) == len(rows) else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A chosen setting beside the plain model in one split: a pair of rows for each task.

    `paired` compares, by tasks, the plain model (A) with the setting (B) question by question: for each task, and for
    all of them together. It is empty if the plain model was chosen, and in the validation split, where a test would
    ignore that the setting is the best of many there.
    """

    split: str | None
    rows: tuple[tuple[AccuracyRow, AccuracyRow], ...]  # chosen, plain
    paired: Mapping[tuple[str, ...], ComparedRow] = field(default_factory=dict)

    def test(self, *tasks: str) -> tuple[float | None, float | None]:
        """The p-values of these tasks together: with signs flipped by episode, and McNemar's."""
        row = self.paired.get(tasks)
        return (None, None) if row is None else (row.p, row.p_mcnemar)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of the rows."""
        return tuple(chosen.task for chosen, _ in self.rows)

    @property
    def means(self) -> tuple[float, float]:
        """The mean over the tasks of the accuracy: chosen, plain."""
        chosen, plain = (_mean(rows) for rows in zip(*self.rows, strict=True))
        return float(chosen), float(plain)

    def as_record(self) -> dict[str, Any]:
        """The figures as JSON values."""
        chosen, plain = self.means
        tasks = [
            {"task": one.task, "chosen": _figures(one), "plain": _figures(other), **self._tests(one.task)}
            for one, other in self.rows
        ]
        return {"split": self.split, "chosen": chosen, "plain": plain, **self._tests(*self.tasks), "tasks": tasks}

    def _tests(self, *tasks: str) -> dict[str, float | None]:
        return dict(zip(("p", "p_mcnemar"), self.test(*tasks), strict=True))


@dataclass(frozen=True, slots=True)
class Choice:
    """The best setting of a task, or of several together."""

    task: str | None  # None: all `tasks` together
    tasks: tuple[str, ...]  # that it was chosen on
    setting: Setting
    validation: Comparison
    test: tuple[Comparison, ...]  # one for each test split with labelled questions of the tasks

    def as_record(self) -> dict[str, Any]:
        """The choice as JSON values."""
        return {
            "task": self.task,
            "tasks": list(self.tasks),
            "setting": self.setting.as_record(),
            "validation": self.validation.as_record(),
            "test": [one.as_record() for one in self.test],
        }


def best(rows: Iterable[AccuracyRow], settings: Sequence[Setting]) -> Setting:
    """The setting of the highest mean accuracy over the tasks of `rows`, which are of the validation split.

    Among settings with the same mean it is the one nearest to the plain model: the plain model itself, then the one
    with the smallest alpha, the fewest active heads, the largest lambda, the fewest layers, the lowest limit on heads,
    and the first in the order of `settings`. Raises ValueError without rows of these settings.
    """
    found: dict[Setting, list[AccuracyRow]] = {}
    for row in rows:
        found.setdefault(setting_of(row), []).append(row)
    candidates = [setting for setting in settings if setting in found]
    return min(candidates, key=lambda one: (-_mean(found[one]), _from_plain(one, found[one])))


def choices(table: SweepTable, splits: Splits) -> tuple[Choice, ...]:
    """The best setting of each task that has labelled validation questions, then that of all of these together."""
    if splits.validation is None:
        return ()
    tasks = table.labelled(splits.validation)
    wanted: list[tuple[str | None, tuple[str, ...]]] = [(task, (task,)) for task in tasks]
    if len(tasks) > 1:
        wanted.append((None, tasks))
    found = [_choice(table, splits, task, together) for task, together in wanted]
    paired = {
        setting: table.against_plain(setting, _places(one for one in found if one.setting == setting))
        for setting in {one.setting for one in found}
    }
    return tuple(_tested(choice, paired[choice.setting]) for choice in found)


def _places(choices: Iterable[Choice]) -> set[Place]:
    """Where the chosen settings are compared with the plain model: each task, and all of a choice together."""
    tests = [one for choice in choices for one in choice.test]
    return {(one.split, tasks) for one in tests for tasks in (one.tasks, *((task,) for task in one.tasks))}


def _tested(choice: Choice, paired: Mapping[Place, ComparedRow]) -> Choice:
    test = tuple(
        replace(one, paired={tasks: row for (split, tasks), row in paired.items() if split == one.split})
        for one in choice.test
    )
    return replace(choice, test=test)


def unchosen(table: SweepTable, splits: Splits) -> list[str]:
    """A warning about tasks without a best setting."""
    missing = [task for task in table.tasks if task not in table.labelled(splits.validation)]
    if splits.validation is None or (table.tasks and not missing):
        return []
    what = f" for {', '.join(missing)}" if missing else ""
    split = splits.validation
    return [f"no best setting{what}: no labelled question of the split {split!r} was asked"]


def _choice(table: SweepTable, splits: Splits, task: str | None, tasks: tuple[str, ...]) -> Choice:
    setting = best(table.rows(splits.validation, tasks), table.settings)

    def compared(split: str | None) -> Comparison:
        pairs = ((table.find(one, split, setting), table.find(one, split, PLAIN)) for one in tasks)
        return Comparison(split, tuple((chosen, plain) for chosen, plain in pairs if chosen and plain))

    test = tuple(compared(split) for split in splits.test if table.labelled(split, tasks))
    return Choice(task, tasks, setting, compared(splits.validation), test)


def _pooled(
    accuracy: Sequence[AccuracyRow], predictions: Callable[[], Iterable[Mapping[str, Any]]]
) -> list[AccuracyRow]:
    """The rows of the table; those of several datasets are recounted together from the predictions."""
    datasets: dict[tuple[str, str | None], set[str | None]] = {}
    for row in accuracy:
        datasets.setdefault((row.task, row.split), set()).add(row.dataset)
    several = {place for place, names in datasets.items() if len(names) > 1}
    if not several:
        return list(accuracy)
    again = ({**row, "dataset": None} for row in predictions() if (row["task"], row["split"]) in several)
    return [row for row in accuracy if (row.task, row.split) not in several] + accuracy_table(again)


def _mean(rows: Collection[AccuracyRow]) -> Fraction:
    return sum((Fraction(row.correct, row.n) for row in rows), Fraction()) / len(rows)


def _from_plain(setting: Setting, rows: Collection[AccuracyRow]) -> tuple[float, float, float, int, float]:
    if setting.alpha is None or setting.lambda_ is None or setting.layers is None:
        return 0.0, 0.0, 0.0, 0, 0.0  # the plain model; any other has an alpha above 0
    heads = sum(row.active_head_count or 0.0 for row in rows) / len(rows)  # none: rows of an earlier version
    limit = math.inf if setting.max_heads is None else setting.max_heads
    return setting.alpha, heads, -setting.lambda_, len(check_layers(setting.layers) or ()), limit


def _figures(row: AccuracyRow) -> dict[str, Any]:
    record = row.as_record()
    return {name: record[name] for name in FIGURES}
