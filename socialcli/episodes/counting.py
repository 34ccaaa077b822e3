"""How many questions an episodes file has, unchecked: to know how far a run is, and how long it will take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from socialcli.episodes.files import inspected_suffix
from socialcli.episodes.reading import read_records
from socialcli.errors import InvalidInputError


def count_questions(
    paths: Sequence[Path],
    tasks: Collection[str],
    splits: Collection[str | None] | None = None,
    limit: int | None = None,
) -> int:
    """The questions of these tasks in the episodes of some splits (None: of all); never fewer than a run will ask.

    `limit` questions of each task count, and of those without one, since a run answers for these with failed rows. The
    files are read no further than that needs. Raises NotThereError where there is no such file, and InvalidInputError
    where it cannot be read.
    """
    found: Counter[str | None] = Counter()
    for name in _asked(paths, tasks, splits) if limit != 0 else ():
        if limit is None or found[name] < limit:
            found[name] += 1
        if limit is not None and all(found[task] >= limit for task in tasks):
            break
    return found.total()


def has_question(paths: Sequence[Path], tasks: Collection[str], splits: Collection[str | None] | None = None) -> bool:
    """Whether there is a question to count. Raises as `count_questions` does."""
    return next((True for _ in _asked(paths, tasks, splits)), False)


def _asked(
    paths: Sequence[Path], tasks: Collection[str], splits: Collection[str | None] | None
) -> Iterator[str | None]:
    """The task of each question of the tasks, or without one, in the splits."""
    found = (_parquet_tasks(path) if inspected_suffix(path) == ".parquet" else _json_tasks(path) for path in paths)
    episodes = chain.from_iterable(found)
    wanted = (names for its_split, names in episodes if splits is None or its_split in splits)
    return (name for names in wanted for name in names if name is None or name in tasks)


_Tasks = tuple[str | None, Sequence[str | None]]  # the split of an episode, and the task of each of its questions


def _json_tasks(path: Path) -> Iterator[_Tasks]:
    for line in read_records(path):
        record = line.record if isinstance(line.record, dict) else {}
        questions, split = record.get("questions"), record.get("split")
        yield (
            split if isinstance(split, str) else None,
            [_task(question) for question in (questions if isinstance(questions, list) else ())],
        )


def _task(question: object) -> str | None:
    task = question.get("task") if isinstance(question, dict) else None
    return task if isinstance(task, str) else None


def _parquet_tasks(path: Path) -> Iterator[_Tasks]:
    import pyarrow as pa  # JSONL does without
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(1024, columns=["split", *question_columns(file, "task")]):
                for record in batch.to_pylist():
                    yield record.get("split"), [_task(question) for question in record.get("questions") or ()]
    except (OSError, pa.ArrowException) as error:
        raise InvalidInputError(f"{path}: cannot be read: {error}") from error


def question_columns(file: Any, name: str) -> list[str]:
    """The column of a field of the questions in a ParquetFile, under which it is read without the others.

    What stands between the two names is up to the program that wrote the file.
    """
    paths = (file.schema.column(index).path for index in range(len(file.schema)))
    return [path for path in paths if path.startswith("questions.") and path.endswith(f".{name}")]
