"""What commands share that write a single file where the user says."""

from __future__ import annotations

from pathlib import Path

from socialcli.errors import UsageError


def check_new_file(option: str, path: Path | None, overwrite: bool) -> None:
    """Raise UsageError where the file that `option` names cannot be written, or must not, as far as looking tells."""
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{option} {path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}; make it, or name another file")
    if path.exists() and not overwrite:
        raise UsageError(f"{option} {path}: is there already; name another file, or replace it with --overwrite")
