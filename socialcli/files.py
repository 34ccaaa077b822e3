"""Reading a file that somebody names, and writing one so that its name never stands for half of it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from socialcli.errors import InvalidInputError, NotThereError


def read_bytes(path: Path, kind: str = "file", most: int = -1) -> bytes:
    """The content of a file, or the first `most` bytes of it; `kind` is what a message calls it.

    Raises NotThereError where there is none, InvalidInputError where it is a folder or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(most)
    except (FileNotFoundError, NotADirectoryError):
        raise NotThereError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InvalidInputError(f"{path}: is a folder; name the {kind} itself") from None
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


class PendingFile:
    """A file that is written beside its final name and takes that name only when it is whole.

    `file` is the open binary file. Call `commit` once everything is written, or `discard`; until then readers
    see what stood under `path` before, or nothing. Raises OSError where the folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        """Open a temporary file in the folder of `path`, where a rename cannot cross file systems."""
        self.path = path
        # Not tempfile: its files are readable by their owner alone, and results are made to be shared.
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        self.file: BinaryIO = self._temporary.open("xb")

    def commit(self) -> None:
        """Flush the content to the disk and give it the final name. Raises OSError, with `path` untouched."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        os.replace(self._temporary, self.path)
        sync_folder(self.path.parent)

    def discard(self) -> None:
        """Close and remove the temporary file; `path` stays as it was."""
        try:
            self.file.close()  # flushes, so that a full disk can speak up again
        finally:
            self._temporary.unlink(missing_ok=True)


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Yield a binary file that becomes `path` when the block ends without an error.

    On an error the temporary file is removed and `path` stays as it was. Raises OSError where the folder
    cannot be written to or the disk is full.
    """
    pending = PendingFile(path)
    try:
        with naming(path):
            yield pending.file
            pending.commit()
    except BaseException:
        with suppress(OSError):  # a full disk speaks up again when the file is closed; the first error says where
            pending.discard()
        raise


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a JSON object for people and programs, whole or not at all. Raises OSError where it cannot be written.

    Half a surrogate pair, from a file name that is no UTF-8, becomes the JSON escape that stands for it.
    """
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as file:
        file.write(text.encode("utf-8", "backslashreplace") + b"\n")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`, of nothing that exists, for a library that writes files or folders by their names.

    What has been written there becomes `path`, replacing it, when the block ends without an error, and is removed
    otherwise. Raises OSError where that cannot be done.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with naming(path):
            yield temporary
            _settle(temporary)
            if path.is_dir():
                shutil.rmtree(path)  # a folder with something in it cannot be replaced by a rename
            os.replace(temporary, path)
            sync_folder(path.parent)
    except BaseException:
        _remove(temporary)
        raise


def _settle(path: Path) -> None:
    """Flush a file, or the files of a folder, to the disk."""
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
    """Put `path` into an OSError that names no file, as a write to a full disk raises it."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a loss of power; a no-op on Windows, where none can be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
