"""Which files are episodes files, by name and by content."""

from __future__ import annotations

from pathlib import Path

from socialcli.errors import InvalidInputError
from socialcli.files import read_bytes

SUFFIXES = (".parquet", ".jsonl.gz", ".jsonl")
"""The names that an episodes file can end in."""

_KINDS = {".parquet": "a Parquet file", ".jsonl.gz": "a gzip file", ".jsonl": "a text file"}
_HEAD = 4096  # bytes that tell what kind of file it is


def file_suffix(path: Path) -> str:
    """The one of `SUFFIXES` that the file's name ends in. Raises InvalidInputError where none does."""
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return suffix
    raise InvalidInputError(f"{path}: is of an unknown type; its name must end in one of {', '.join(SUFFIXES)}")


def inspected_suffix(path: Path) -> str:
    """The suffix of an existing file, once its beginning has been seen to be what the name says.

    Raises NotThereError where there is no such file, InvalidInputError where it is a folder, empty, of an
    unknown type, unreadable, or not what its name says.
    """
    head = read_bytes(path, "episodes file", _HEAD)
    suffix = file_suffix(path)
    if not head:
        raise InvalidInputError(f"{path}: is empty; give a file with at least one episode")
    kind = _kind(head)
    if kind != _KINDS[suffix]:
        raise InvalidInputError(f"{path}: is named {suffix}, but is {kind}; rename it, or give the right file")
    return suffix


def _kind(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return _KINDS[".parquet"]
    if head.startswith(b"\x1f\x8b"):
        return _KINDS[".jsonl.gz"]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16, not UTF-8"
    return "a binary file" if b"\0" in head else _KINDS[".jsonl"]
