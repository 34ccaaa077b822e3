"""Read a user's file with clear errors; write files atomically, so a name never refers to half of one."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from socialcli.errors import InvalidInputError, NotFoundError


def read_bytes(path: Path, kind: str = "file", most: int = -1) -> bytes:
    """The content of a file, or its first `most` bytes; messages call the file a `kind`.

    Raises NotFoundError if the file is missing, InvalidInputError if it is a folder or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InvalidInputError(f"{path}: is a folder; name the {kind} itself") from None
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


class PendingFile:
    """A file written under a temporary name and renamed to its final name once complete.

    `file` is the open binary file. Call `commit` when everything is written, or `discard`. Until then readers see
    the earlier content of `path`, or no file. Raises OSError if the folder is not writable.
    """

    def __init__(self, path: Path) -> None:
        """Open a temporary file in the folder of `path`, so that the rename stays within one file system."""
        self.path = path
        # Not tempfile: only the owner could read its files, and results are for sharing.
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        self.file: BinaryIO = self._temporary.open("xb")

    def commit(self) -> None:
        """Flush the content to disk and rename it to `path`. Raises OSError and leaves `path` untouched on failure."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        os.replace(self._temporary, self.path)
        sync_folder(self.path.parent)

    def discard(self) -> None:
        """Close and remove the temporary file; `path` stays as it was."""
        try:
            self.file.close()  # flushes, so a full disk raises again
        finally:
            self._temporary.unlink(missing_ok=True)


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Yield a binary file that becomes `path` when the block succeeds.

    On an error the temporary file is removed and `path` stays as it was. Raises OSError if the folder is not writable
    or the disk is full.
    """
    pending = PendingFile(path)
    try:
        with naming(path):
            yield pending.file
            pending.commit()
    except BaseException:
        with suppress(OSError):  # closing the file on a full disk raises again; report the first error
            pending.discard()
        raise


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a JSON object atomically, indented for people. Raises OSError if it cannot be written.

    A lone surrogate, from a file name that is not valid UTF-8, is written as its JSON escape.
    """
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "backslashreplace") + b"\n")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield an unused path beside `path`, for a library that writes a file or folder by name.

    Whatever the block writes there replaces `path` when the block succeeds, and is removed otherwise. Raises OSError if
    that fails.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with naming(path):
            yield temporary
            _flush_to_disk(temporary)
            if path.is_dir():
                shutil.rmtree(path)  # a rename cannot replace a folder that is not empty
            os.replace(temporary, path)
            sync_folder(path.parent)
    except BaseException:
        _remove(temporary)
        raise


def _flush_to_disk(path: Path) -> None:
    """Flush a file, or every file in a folder, to disk."""
    for file in path.rglob("*") if path.is_dir() else (path,):
        if file.is_file():
            with file.open("rb+") as opened:
                os.fsync(opened.fileno())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add `path` to an OSError that names no file, such as that of a write to a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise


def sync_folder(folder: Path) -> None:
    """Flush the entries of `folder` to disk; a no-op on Windows, which cannot open folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
