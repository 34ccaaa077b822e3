"""The output folder of `socialcli train`: log.parquet, and the paths of train.json, weights, state and picture."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError, UsageError
from socialcli.files import atomic_write
from socialcli.results.folder import ResultFolder

TRAINING_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One row of log.parquet: an update, or the accuracy of a task after an epoch."""

    step: int  # updates done, this one included
    epoch: int  # from 1
    split: str | None  # None: the training split
    task: str | None = None  # of an accuracy; None: of all tasks together
    loss: float | None = None  # of an update; None: no question of it could be prepared
    learning_rate: float | None = None
    bias_floor: float | None = None
    gradient: float | None = None  # its norm before it was cut
    active_heads: float | None = None
    questions: int  # learnt from, or asked
    accuracy: float | None = None  # of the questions asked; a failed one counts as wrong
    failed: int | None = None
    seconds: float  # of the training up to here


_COLUMNS: list[pa.Field[Any]] = [
    pa.field("step", pa.int64(), nullable=False),
    pa.field("epoch", pa.int64(), nullable=False),
    pa.field("split", pa.string()),
    pa.field("task", pa.string()),
    pa.field("loss", pa.float64()),
    pa.field("learning_rate", pa.float64()),
    pa.field("bias_floor", pa.float64()),
    pa.field("gradient", pa.float64()),
    pa.field("active_heads", pa.float64()),
    pa.field("questions", pa.int64(), nullable=False),
    pa.field("accuracy", pa.float64()),
    pa.field("failed", pa.int64()),
    pa.field("seconds", pa.float64(), nullable=False),
]
LOG_SCHEMA = pa.schema(_COLUMNS)


def write_log(path: Path, rows: Iterable[LogRow]) -> None:
    """Write log.parquet, whole or not at all. Raises OSError."""
    table = pa.Table.from_pylist([dataclasses.asdict(row) for row in rows], schema=LOG_SCHEMA)
    with atomic_write(path) as file:
        pq.write_table(table, file)


def read_log(path: Path) -> list[LogRow]:
    """Read log.parquet; no file, no rows. Raises InvalidInputError where it cannot be read."""
    if not path.exists():
        return []
    try:
        return [LogRow(**row) for row in pq.read_table(path, schema=LOG_SCHEMA).to_pylist()]
    except (OSError, pa.ArrowException, TypeError) as error:
        raise InvalidInputError(f"{path}: the log of the training cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class TrainFolder(ResultFolder):
    """The folder of `socialcli train`."""

    @property
    def checkpoint(self) -> Path:
        """All weights with the processor's files, as `--checkpoint` takes them."""
        return self.path / "checkpoint"

    @property
    def adapter(self) -> Path:
        """The LoRA layers, as `--adapter` takes them."""
        return self.path / "adapter"

    @property
    def state(self) -> Path:
        """The state to resume an unfinished training from: see `socialcli.verbs.train.learning.state`."""
        return self.path / "state.safetensors"

    @property
    def log(self) -> Path:
        """A row per update, and per task and epoch."""
        return self.path / "log.parquet"

    @property
    def picture(self) -> Path:
        """The loss, and the accuracy on the validation split."""
        return self.figure("loss")

    @property
    def manifest(self) -> Path:
        """train.json: see `socialcli.verbs.train.manifest`."""
        return self.path / "train.json"

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return self.manifest, self.state, self.log, *self.figures("loss"), self.checkpoint, self.adapter

    def earlier(self) -> Mapping[str, Any] | None:
        """The train.json in the folder; None if there is none. Raises InvalidInputError where it is damaged."""
        if not self.manifest.exists():
            return None
        try:
            record = json.loads(self.manifest.read_text(encoding="utf-8"))
            return {"identity": record["identity"], "outcome": record["outcome"], **record}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"{self.manifest}: cannot be read ({error}); start afresh with --overwrite"
            ) from error


def check_same(folder: TrainFolder, earlier: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    """Raise UsageError, with each difference, where the folder holds a training of other settings or inputs."""
    before = earlier["identity"]
    differences = [
        f"{name}: {before.get(name)!r} there, {identity.get(name)!r} now"
        for name in sorted({*before, *identity})
        if before.get(name) != identity.get(name)
    ]
    if differences:
        raise UsageError(
            f"--output {folder.path}: holds a training with other settings ({'; '.join(differences)}); "
            "name another folder, or start afresh with --overwrite"
        )


def latest_accuracies(rows: Iterable[LogRow]) -> dict[str, dict[str, float | int | None]]:
    """The last accuracy of each task in the log, with the numbers of questions asked and failed."""
    return {
        row.task: {"accuracy": row.accuracy, "questions": row.questions, "failed": row.failed}
        for row in rows
        if row.task is not None and row.accuracy is not None
    }


def accuracy_lines(accuracy: Mapping[str, Mapping[str, float]]) -> str:
    """The accuracies of `latest_accuracies` as a text table with a line per task."""
    if not accuracy:
        return "no validation split, so there is no accuracy to show"
    width = max(len("task"), *map(len, accuracy))
    lines = [f"{'task':<{width}}     n  accuracy  failed"]
    lines += [
        f"{task:<{width}}  {found['questions']:>4}  {found['accuracy']:>8.1%}  {found['failed']:>6}"
        for task, found in accuracy.items()
    ]
    return "\n".join(lines)
