"""The lock that keeps two runs off one folder: a file that a living process holds, and that says who it is.

The lock is flock(2)'s: the system gives it up when its process ends, however that happens, so that nobody has to guess
whether a lock is stale. Linux has it on NFS, too, where the server keeps locks (NFSv4 does). On a file system that
knows no locks at all, there is nothing to hold, and the run goes on with a warning.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from socialcli.errors import FolderInUseError

_log = logging.getLogger(__name__)

LOCK_NAME = ".lock"

_UNKNOWN_HERE = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # what file systems without locks answer


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an existing folder. Raises FolderInUseError, which says who has it, and OSError."""
    path = folder / LOCK_NAME
    descriptor = _acquired(path)
    try:
        _sign(descriptor)
        yield
    finally:
        with suppress(OSError):  # on a folder that has turned read-only the file stays; nobody holds it
            path.unlink()
        os.close(descriptor)  # in this order: who gets the lock next must find that its file is gone


def _acquired(path: Path) -> int:
    while True:
        descriptor = _opened(path)
        try:
            _take(descriptor, path)
            if _is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder removed it meanwhile, and another one may hold a new file of the name


def _opened(path: Path) -> int:
    while True:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except PermissionError:
            if not path.exists():
                raise
        with suppress(FileNotFoundError):  # its holder removed it meanwhile
            return os.open(path, os.O_RDONLY)  # another user's: a lock can be asked for all the same


def _take(descriptor: int, path: Path) -> None:
    if sys.platform == "win32":
        _log.warning("this system has no such locks; nothing keeps a second run off %s", path.parent)
        return
    import fcntl  # POSIX

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderInUseError(
            f"--output {path.parent}: in use by {_holder(path)}; wait for it, or name another folder"
        ) from None
    except OSError as error:
        if error.errno == errno.EBADF:  # a network file system wants a file that can be written to
            raise FolderInUseError(
                f"--output {path.parent}: holds another user's {path.name}, of {_holder(path)}; remove it where no run "
                "is on, or name another folder"
            ) from None
        if error.errno not in _UNKNOWN_HERE:
            raise
        _log.warning("the file system of %s has no locks; nothing keeps a second run off the folder", path.parent)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that has the name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    """Write who holds the lock. On a full disk the lock holds all the same."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    record = {"process": os.getpid(), "host": socket.gethostname(), "since": since}
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(record).encode("ascii") + b"\n", 0)


def _holder(path: Path) -> str:
    try:
        record = json.loads(path.read_text(encoding="ascii"))
        return f"process {record['process']} on {record['host']} since {record['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process that has not said yet which one it is"
