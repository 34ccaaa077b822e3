"""What commands share that write a single file where the user says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.errors import UsageError

if TYPE_CHECKING:
    from socialcli.stats.sources import Source


def check_apart(option: str, path: Path | None, sources: Iterable[Source]) -> None:
    """Raise UsageError where the file that `option` names is one of those that a run or sweep has left."""
    for source in sources:
        theirs = (source.predictions, *(source.folder.files if source.folder else ()))
        if path is not None and path.resolve() in {one.resolve() for one in theirs}:
            raise UsageError(f"{option} {path}: is a file of the run in {path.parent}; name another one")


def check_new_table(option: str, path: Path | None, overwrite: bool) -> None:
    """Raise UsageError where the table that `option` names cannot be written, or must not, as far as looking tells."""
    from socialcli.results.formats import table_suffix  # pyarrow

    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{option} {path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}; make it, or name another file")
    if path.exists() and not overwrite:
        raise UsageError(f"{option} {path}: is there already; name another file, or replace it with --overwrite")
    table_suffix(path, option)
