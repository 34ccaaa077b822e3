"""Recognize episodes files by name and by content."""

from __future__ import annotations

from pathlib import Path

from socialcli.errors import InvalidInputError
from socialcli.files import read_bytes

SUFFIXES = (".parquet", ".jsonl.gz", ".jsonl")
"""The possible endings of an episodes file's name."""

_KINDS = {".parquet": "a Parquet file", ".jsonl.gz": "a gzip file", ".jsonl": "a text file"}
_HEAD = 4096  # bytes, enough to recognize the kind of file


def file_suffix(path: Path) -> str:
    """The one of `SUFFIXES` that the file's name ends in. Raises InvalidInputError if there is none."""
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return suffix
    raise InvalidInputError(f"{path}: has an unknown type; its name must end in one of {', '.join(SUFFIXES)}")


def inspected_suffix(path: Path) -> str:
    """The suffix of an existing file, after checking that its first bytes match its name.

    Raises NotFoundError if the file is missing, InvalidInputError if it is a folder, empty, of an unknown type,
    unreadable, or different from what its name says.
    """
    head = read_bytes(path, "episodes file", _HEAD)
    suffix = file_suffix(path)
    if not head:
        raise InvalidInputError(f"{path}: is empty; give a file with at least one episode")
    kind = _kind(head)
    if kind != _KINDS[suffix]:
        raise InvalidInputError(f"{path}: is named {suffix}, but is {kind}; rename it, or name the right file")
    return suffix


def _kind(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return _KINDS[".parquet"]
    if head.startswith(b"\x1f\x8b"):
        return _KINDS[".jsonl.gz"]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16, not UTF-8"
    return "a binary file" if b"\0" in head else _KINDS[".jsonl"]
