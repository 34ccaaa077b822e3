"""Which setting of a sweep is the best, found on one split and reported on others.

`best` sees the rows of the validation split alone. A figure of another split cannot get into the choice, because it is
not handed over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from socialcli.errors import UsageError
from socialcli.runs.accuracy import AccuracyRow, accuracy_table
from socialcli.runs.grid import PLAIN, Setting

VALIDATION_NAMES = ("validation", "val", "valid", "dev")
FIGURES = ("n", "correct", "accuracy", "ci_low", "ci_high")

Key = tuple[str, str | None, Setting]  # task, split, setting


@dataclass(frozen=True, slots=True)
class Splits:
    """Where the best setting is chosen, and where it is reported."""

    validation: str | None  # None: nowhere, so that there is none
    test: tuple[str | None, ...]  # never the validation split; None stands for episodes without one
    warning: str | None = None  # why there is no validation split

    @property
    def asked(self) -> frozenset[str | None]:
        """The splits whose questions are asked."""
        return frozenset(self.test if self.validation is None else (self.validation, *self.test))


def resolve_splits(found: Collection[str | None], validation: str | None, test: Sequence[str]) -> Splits:
    """What `--validation-split` and `--test-split` come to in a file with the splits `found`.

    Left out, the validation split is the one with one of the `VALIDATION_NAMES`, and the test splits are all others.
    Raises UsageError for a named split that the file does not have, and for one that is to be both.
    """
    listed = ", ".join(sorted(name or "(none)" for name in found))
    named = [("--validation-split", validation), *(("--test-split", name) for name in test)]
    for option, name in named:
        if name is not None and name not in found:
            raise UsageError(f"{option} {name!r}: no episode is of this split; the file has: {listed}")
    usual = [name for name in VALIDATION_NAMES if name in found and name not in test]
    warning = None
    if validation is None and len(usual) == 1:
        validation = usual[0]
    elif validation is None:
        why = f"{' and '.join(usual)} could each be it" if usual else f"the file has: {listed}"
        warning = f"no best setting is named, for no split is known as the validation split ({why}); "
        warning += "name it with --validation-split"
    if validation is not None and validation in test:
        raise UsageError(f"--test-split {validation!r} is the validation split: what is chosen on is not reported on")
    others = sorted((name for name in found if name != validation), key=lambda name: (name is not None, name or ""))
    return Splits(validation, tuple(dict.fromkeys(test)) or tuple(others), warning)


class SweepTable:
    """The accuracy of every setting, task and split, with the datasets of a task counted together."""

    def __init__(
        self,
        accuracy: Sequence[AccuracyRow],
        predictions: Callable[[], Iterable[Mapping[str, Any]]],
        settings: Sequence[Setting],
        seed: int = 0,
    ) -> None:
        """Index the rows of accuracy.parquet; `predictions` are read again where a task has several datasets."""
        rows = _pooled(accuracy, predictions, seed)
        self._rows: dict[Key, AccuracyRow] = {(row.task, row.split, setting_of(row)): row for row in rows}
        self.settings = tuple(settings)
        self.tasks = tuple(sorted({row.task for row in rows}))

    def find(self, task: str, split: str | None, setting: Setting) -> AccuracyRow | None:
        """The row, or None where there is no labelled question."""
        row = self._rows.get((task, split, setting))
        return row if row is not None and row.n else None

    def labelled(self, split: str | None, tasks: Iterable[str] | None = None) -> tuple[str, ...]:
        """The tasks with labelled questions in the split, of all or of these `tasks`."""
        wanted = self.tasks if tasks is None else tasks
        return tuple(task for task in wanted if any(self.find(task, split, one) for one in self.settings))

    def rows(self, split: str | None, tasks: Iterable[str]) -> list[AccuracyRow]:
        """The rows of the split and the tasks under all settings, where there are labelled questions."""
        found = (self.find(task, split, setting) for task in tasks for setting in self.settings)
        return [row for row in found if row is not None]

    def mean(self, split: str | None, tasks: Sequence[str], setting: Setting) -> float | None:
        """The mean of the tasks' accuracies under a setting; None where one of them has none."""
        rows = [self.find(task, split, setting) for task in tasks]
        found = [Fraction(row.correct, row.n) for row in rows if row is not None]
        return float(sum(found) / len(found)) if found and len(found) == len(rows) else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A chosen setting beside the plain model in one split: a pair of rows for each task."""

    split: str | None
    rows: tuple[tuple[AccuracyRow, AccuracyRow], ...]  # chosen, plain

    @property
    def means(self) -> tuple[float, float]:
        """The mean over the tasks of the accuracy: chosen, plain."""
        chosen, plain = (_mean(rows) for rows in zip(*self.rows, strict=True))
        return float(chosen), float(plain)

    def as_record(self) -> dict[str, Any]:
        """The figures as JSON values."""
        chosen, plain = self.means
        tasks = [{"task": one.task, "chosen": _figures(one), "plain": _figures(other)} for one, other in self.rows]
        return {"split": self.split, "chosen": chosen, "plain": plain, "tasks": tasks}


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

    Of settings with the same mean it is the one nearest to the plain model: this itself, then the one with the smallest
    alpha, the largest lambda (fewer heads), the fewest layers, and the first in the order of `settings`. Raises
    ValueError where there are no rows of these settings.
    """
    found: dict[Setting, list[AccuracyRow]] = {}
    for row in rows:
        found.setdefault(setting_of(row), []).append(row)
    candidates = [setting for setting in settings if setting in found]
    return min(candidates, key=lambda one: (-_mean(found[one]), _from_plain(one)))


def choices(table: SweepTable, splits: Splits) -> tuple[Choice, ...]:
    """The best setting of each task that has labelled validation questions, then that of all of these together."""
    if splits.validation is None:
        return ()
    tasks = table.labelled(splits.validation)
    wanted: list[tuple[str | None, tuple[str, ...]]] = [(task, (task,)) for task in tasks]
    if len(tasks) > 1:
        wanted.append((None, tasks))
    return tuple(_choice(table, splits, task, together) for task, together in wanted)


def unchosen(table: SweepTable, splits: Splits) -> list[str]:
    """What the user should know of tasks for which the validation split names no best setting."""
    missing = [task for task in table.tasks if task not in table.labelled(splits.validation)]
    if splits.validation is None or (table.tasks and not missing):
        return []
    what = f" for {', '.join(missing)}" if missing else ""
    return [f"no best setting is named{what}: the split {splits.validation!r} has no labelled question to choose on"]


def _choice(table: SweepTable, splits: Splits, task: str | None, tasks: tuple[str, ...]) -> Choice:
    setting = best(table.rows(splits.validation, tasks), table.settings)

    def compared(split: str | None) -> Comparison:
        pairs = ((table.find(one, split, setting), table.find(one, split, PLAIN)) for one in tasks)
        return Comparison(split, tuple((chosen, plain) for chosen, plain in pairs if chosen and plain))

    test = tuple(compared(split) for split in splits.test if table.labelled(split, tasks))
    return Choice(task, tasks, setting, compared(splits.validation), test)


def _pooled(
    accuracy: Sequence[AccuracyRow], predictions: Callable[[], Iterable[Mapping[str, Any]]], seed: int
) -> list[AccuracyRow]:
    """The rows of the table, those of several datasets counted together from the predictions themselves."""
    datasets: dict[tuple[str, str | None], set[str | None]] = {}
    for row in accuracy:
        datasets.setdefault((row.task, row.split), set()).add(row.dataset)
    several = {place for place, names in datasets.items() if len(names) > 1}
    if not several:
        return list(accuracy)
    again = ({**row, "dataset": None} for row in predictions() if (row["task"], row["split"]) in several)
    return [row for row in accuracy if (row.task, row.split) not in several] + accuracy_table(again, seed)


def setting_of(row: AccuracyRow) -> Setting:
    """The setting that a row of the table is of."""
    return Setting(row.alpha, row.lambda_, row.layers, row.bias)


def _mean(rows: Collection[AccuracyRow]) -> Fraction:
    return sum((Fraction(row.correct, row.n) for row in rows), Fraction()) / len(rows)


def _from_plain(setting: Setting) -> tuple[float, float, int]:
    if setting.alpha is None or setting.lambda_ is None or setting.layers is None:
        return 0.0, 0.0, 0  # the plain model; any other has an alpha above 0
    first, last = map(int, setting.layers.split("-"))
    return setting.alpha, -setting.lambda_, last - first + 1


def _figures(row: AccuracyRow) -> dict[str, Any]:
    record = row.as_record()
    return {name: record[name] for name in FIGURES}
