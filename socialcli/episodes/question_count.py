"""Count the questions of episodes files without checking them, for progress and time estimates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from socialcli.episodes.formats.kinds import inspected_suffix
from socialcli.episodes.reading import read_records
from socialcli.errors import InvalidInputError


def count_questions(
    paths: Sequence[Path],
    tasks: Collection[str],
    splits: Collection[str | None] | None = None,
    limit: int | None = None,
) -> int:
    """The number of questions of these tasks in some splits (None: all); never fewer than a run will ask.

    At most `limit` questions count per task. Questions without a task count as a task of their own, because a run
    records them as failed rows. Reading stops as soon as every limit is reached. Raises NotFoundError if a file is
    missing, InvalidInputError if it cannot be read.
    """
    found: Counter[str | None] = Counter()
    for name in _tasks_of_questions(paths, tasks, splits) if limit != 0 else ():
        if limit is None or found[name] < limit:
            found[name] += 1
        if limit is not None and all(found[task] >= limit for task in tasks):
            break
    return found.total()


def has_question(paths: Sequence[Path], tasks: Collection[str], splits: Collection[str | None] | None = None) -> bool:
    """Whether there is any question to count. Raises as `count_questions` does."""
    return next((True for _ in _tasks_of_questions(paths, tasks, splits)), False)


def _tasks_of_questions(
    paths: Sequence[Path], tasks: Collection[str], splits: Collection[str | None] | None
) -> Iterator[str | None]:
    """The task of each question of `tasks`, or None if it names none, in the splits."""
    records = chain.from_iterable(unchecked_records(path, "split", "task") for path in paths)
    wanted = (record for record in records if splits is None or _text(record, "split") in splits)
    names = (_text(question, "task") for record in wanted for question in questions_of(record))
    return (name for name in names if name is None or name in tasks)


def unchecked_records(path: Path, column: str, field: str) -> Iterator[Mapping[str, Any]]:
    """The unchecked objects of an episodes file; from Parquet, only one column and one field of the questions.

    Raises InvalidInputError if the file cannot be read.
    """
    if inspected_suffix(path) != ".parquet":
        yield from (line.record for line in read_records(path) if isinstance(line.record, dict))
        return
    import pyarrow as pa  # not needed for JSONL
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(1024, columns=[column, *_question_columns(file, field)]):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise InvalidInputError(f"{path}: cannot be read: {error}") from error


def questions_of(record: Mapping[str, Any]) -> Sequence[Any]:
    """The questions of an unchecked record, of any type."""
    questions = record.get("questions")
    return questions if isinstance(questions, list) else ()


def _text(record: object, name: str) -> str | None:
    value = record.get(name) if isinstance(record, dict) else None
    return value if isinstance(value, str) else None


def _question_columns(file: Any, name: str) -> list[str]:
    """The Parquet column of one field of the questions, so that it can be read without the others.

    The path between the two names depends on the program that wrote the file.
    """
    paths = (file.schema.column(index).path for index in range(len(file.schema)))
    return [path for path in paths if path.startswith("questions.") and path.endswith(f".{name}")]
