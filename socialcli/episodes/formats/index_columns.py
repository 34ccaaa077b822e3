"""Recognize columns that other programs add to a table: the index of a pandas frame, row numbers."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

_log = logging.getLogger(__name__)

# Names that no person gives a column: the index of pandas and dask, and an unnamed first column of a CSV file.
_INDEX = re.compile(r"__index_level_\d+__|__null_dask_index__|Unnamed: \d+(?:\.\d+)*")
# Names that a person might give: from `reset_index` (pandas), `with_row_index` and `with_row_count` (polars), and
# unnamed columns as polars and R read them. Such a column counts as added only if it holds nothing but integers.
_NUMBERING = re.compile(r"index|level_\d+|row_nr|\.\.\.\d+|")


def is_added(name: str, whole_numbers: bool) -> bool:
    """Whether a column outside the format was added by the program that wrote the table.

    `whole_numbers`: whether the column holds only integers.
    """
    return bool(_INDEX.fullmatch(name)) or (whole_numbers and bool(_NUMBERING.fullmatch(name)))


def added_keys(record: dict[str, object], known: Collection[str]) -> list[str]:
    """The keys of a JSON object that the writing program added as columns; `known` are the format's own."""
    return [name for name, value in record.items() if name not in known and is_added(name, _is_whole(value))]


def log_added(path: Path, names: Iterable[str]) -> None:
    """Log that these columns of a file are ignored; once per file, however often it is read."""
    if found := tuple(sorted(names)):
        _log_once(path, found)


@cache
def _log_once(path: Path, names: tuple[str, ...]) -> None:
    noun = "column" if len(names) == 1 else "columns"
    _log.info("%s: ignored %s that the writing program added: %s", path, noun, ", ".join(map(repr, names)))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
