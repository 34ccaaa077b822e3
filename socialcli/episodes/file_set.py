"""Read several episodes files as one, and check that no two of them share an id."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from socialcli.episodes.formats.kinds import inspected_suffix
from socialcli.episodes.question_count import questions_of, unchecked_records
from socialcli.episodes.reading import EpisodeRow, read_episodes
from socialcli.errors import InvalidInputError, UsageError


def read_files(paths: Sequence[Path]) -> Iterator[EpisodeRow]:
    """The rows of all files in order; with several files, each row's `source_name` is the path as given.

    Raises as `read_episodes` does, for every file at the call.
    """
    if len(paths) == 1:
        return read_episodes(paths[0])
    for path in paths:
        inspected_suffix(path)
    return chain.from_iterable(read_episodes(path, str(path)) for path in paths)


def check_distinct(paths: Sequence[Path]) -> None:
    """Raise InvalidInputError if two files have an episode or question with the same id.

    Raises UsageError if a file is named twice. Only the ids are held in memory.
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
    """The kind and id of every episode and question of a file that can be read."""
    for record in unchecked_records(path, "episode_id", "id"):
        asked = (question.get("id") for question in questions_of(record) if isinstance(question, dict))
        named = [("episode", record.get("episode_id")), *(("question", name) for name in asked)]
        yield from ((kind, name) for kind, name in named if isinstance(name, str))
