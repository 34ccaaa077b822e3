"""Checks of commands that write a single file to a path that the user names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.errors import UsageError

if TYPE_CHECKING:
    from socialcli.stats.sources import Source


def check_apart(option: str, path: Path | None, sources: Iterable[Source]) -> None:
    """Raise UsageError if the file that `option` names belongs to the results of a run or sweep."""
    for source in sources:
        theirs = (source.predictions, *(source.folder.files if source.folder else ()))
        if path is not None and path.resolve() in {one.resolve() for one in theirs}:
            raise UsageError(f"{option} {path}: belongs to the run in {path.parent}; name another file")


def check_new_table(option: str, path: Path | None, overwrite: bool) -> None:
    """Raise UsageError if the table that `option` names evidently cannot or must not be written."""
    from socialcli.results.formats import table_suffix  # pyarrow

    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{option} {path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: no folder {path.parent}; create it, or name another file")
    if path.exists() and not overwrite:
        raise UsageError(f"{option} {path}: exists; name another file, or replace it with --overwrite")
    table_suffix(path, option)
