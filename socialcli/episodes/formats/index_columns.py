"""Columns that other programs add to a table by themselves: the index of a pandas frame, numbers of rows."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

_log = logging.getLogger(__name__)

# What no person calls a column: the index of pandas and dask, and a CSV file's first column without a name.
_INDEX = re.compile(r"__index_level_\d+__|__null_dask_index__|Unnamed: \d+(?:\.\d+)*")
# What a person might: `reset_index` of pandas, `with_row_index` and `with_row_count` of polars, and a column without a
# name as polars and R read it. These are added ones where they hold nothing but whole numbers.
_NUMBERING = re.compile(r"index|level_\d+|row_nr|\.\.\.\d+|")


def is_added(name: str, whole_numbers: bool) -> bool:
    """Whether a column of this name that the format does not have was added by the program that wrote the table.

    `whole_numbers`: whether it holds nothing else.
    """
    return bool(_INDEX.fullmatch(name)) or (whole_numbers and bool(_NUMBERING.fullmatch(name)))


def added_keys(record: dict[str, object], known: Collection[str]) -> list[str]:
    """The keys of a JSON object that the program that wrote it added as columns; `known` are those of the format."""
    return [name for name, value in record.items() if name not in known and is_added(name, _is_whole(value))]


def note_added(path: Path, names: Iterable[str]) -> None:
    """Say that these columns of a file are left out; once for each file, however often it is read."""
    if found := tuple(sorted(names)):
        _note(path, found)


@cache
def _note(path: Path, names: tuple[str, ...]) -> None:
    noun = "column" if len(names) == 1 else "columns"
    listed = ", ".join(map(repr, names))
    _log.info("%s: left out what the program that wrote it has added: %s %s", path, noun, listed)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
