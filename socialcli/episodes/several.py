"""Several episodes files as one: their rows one file after the other, and ids that no two of them may share."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from socialcli.episodes.counting import question_columns
from socialcli.episodes.files import inspected_suffix
from socialcli.episodes.reading import EpisodeRow, read_episodes, read_records
from socialcli.errors import InvalidInputError, UsageError


def read_files(paths: Sequence[Path]) -> Iterator[EpisodeRow]:
    """The rows of all files; of several, each row's `source_name` is the file as it was named.

    Raises as `read_episodes` does, of every file at the call.
    """
    if len(paths) == 1:
        return read_episodes(paths[0])
    for path in paths:
        inspected_suffix(path)
    return chain.from_iterable(read_episodes(path, str(path)) for path in paths)


def check_distinct(paths: Sequence[Path]) -> None:
    """Raise InvalidInputError, with both files, for an id of an episode or question that two files have.

    Raises UsageError where a file is named twice. In memory are the ids alone.
    """
    if len(paths) < 2:
        return
    places: dict[str, Path] = {}
    for path in paths:
        other = places.setdefault(os.path.realpath(path), path)
        if other is not path:
            raise UsageError(f"{path} is named twice (as {other}); name each episodes file once")
    first: dict[tuple[str, str], Path] = {}
    for path in paths:
        for kind, name in _ids(path):
            other = first.setdefault((kind, name), path)
            if other is not path:
                raise InvalidInputError(
                    f"{other} and {path} both have the {kind} {name!r}; give each its own id, or leave one file out"
                )


def _ids(path: Path) -> Iterator[tuple[str, str]]:
    """The kind and the id of every episode and question of a file, as far as they can be read."""
    for record in _parquet_ids(path) if inspected_suffix(path) == ".parquet" else _json_records(path):
        questions = record.get("questions")
        named = [("episode", record.get("episode_id"))]
        for question in questions if isinstance(questions, list) else ():
            named.append(("question", question.get("id") if isinstance(question, dict) else None))
        yield from ((kind, name) for kind, name in named if isinstance(name, str))


def _json_records(path: Path) -> Iterator[dict[str, object]]:
    return (line.record for line in read_records(path) if isinstance(line.record, dict))


def _parquet_ids(path: Path) -> Iterator[dict[str, object]]:
    import pyarrow as pa  # JSONL does without
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(1024, columns=["episode_id", *question_columns(file, "id")]):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise InvalidInputError(f"{path}: cannot be read: {error}") from error
