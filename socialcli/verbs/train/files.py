"""The output folder of `socialcli train`: log.parquet, and the paths of train.json, weights, state and picture."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError, UsageError
from socialcli.files import atomic_write
from socialcli.results.columns import arrow_schema, as_record, column, from_record, table_row
from socialcli.results.folder import ResultFolder

TRAINING_VERSION = "1.0"


@table_row
class LogRow:
    """One row of log.parquet: an optimizer step, or the accuracy of a task after an epoch."""

    step: int = column("optimizer steps done, this one included", pa.int64())
    epoch: int = column("counted from 1", pa.int64())
    split: str | None = column("the validation split; null for a step")
    task: str | None = column("the task of an accuracy; null for a step", default=None)
    loss: float | None = column("loss of a step; null where no question of it could be prepared", default=None)
    learning_rate: float | None = column("learning rate of a step", default=None)
    bias_floor: float | None = column("floor of the bias (`--bias-warmup`) in a step", default=None)
    gradient: float | None = column("norm of the gradient of a step, before clipping", default=None)
    active_heads: float | None = column("share of the heads of the aligned layers that were active", default=None)
    questions: int = column("questions trained on in a step, or asked after an epoch", pa.int64())
    accuracy: float | None = column("accuracy of a task; a failed question counts as wrong", default=None)
    failed: int | None = column("failed questions of a task", pa.int64(), default=None)
    seconds: float = column("time since the start of the training")


LOG_SCHEMA = arrow_schema(LogRow)


def write_log(path: Path, rows: Iterable[LogRow]) -> None:
    """Write log.parquet, whole or not at all. Raises OSError."""
    table = pa.Table.from_pylist(list(map(as_record, rows)), schema=LOG_SCHEMA)
    with atomic_write(path) as file:
        pq.write_table(table, file)


def read_log(path: Path) -> list[LogRow]:
    """Read log.parquet; no file, no rows. Raises InvalidInputError where it cannot be read."""
    if not path.exists():
        return []
    try:
        return [from_record(LogRow, row) for row in pq.read_table(path, schema=LOG_SCHEMA).to_pylist()]
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
