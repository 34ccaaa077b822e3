"""The lock that keeps two runs out of one folder: a locked file that names its process.

It is a flock(2) lock: the system releases it when its process ends, however that happens, so no lock is ever stale. On
Linux it also works on NFS, if the server supports locks (NFSv4 does). On a file system without locks, the run works
without one, and warns.
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

_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # errors of file systems without locks


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock an existing folder. Raises FolderInUseError, which names the holder, and OSError."""
    path = folder / LOCK_NAME
    descriptor = _acquired(path)
    try:
        _sign(descriptor)
        yield
    finally:
        with suppress(OSError):  # in a folder that is now read-only the file stays, unlocked
            path.unlink()
        os.close(descriptor)  # after the unlink: the next holder must find that this file is gone


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
        os.close(descriptor)  # its holder removed it meanwhile, and another process may hold a new file of this name


def _opened(path: Path) -> int:
    while True:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except PermissionError:
            if not path.exists():
                raise
        with suppress(FileNotFoundError):  # its holder removed it meanwhile
            return os.open(path, os.O_RDONLY)  # another user's file can be locked all the same


def _take(descriptor: int, path: Path) -> None:
    if sys.platform == "win32":
        _log.warning("this system has no file locks; nothing keeps a second run out of %s", path.parent)
        return
    import fcntl  # POSIX

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderInUseError(
            f"--output {path.parent}: in use by {_holder(path)}; wait for it, or name another folder"
        ) from None
    except OSError as error:
        if error.errno == errno.EBADF:  # network file systems lock only writable files
            raise FolderInUseError(
                f"--output {path.parent}: holds another user's {path.name}, of {_holder(path)}; remove it if no run "
                "is on, or name another folder"
            ) from None
        if error.errno not in _UNSUPPORTED:
            raise
        _log.warning("the file system of %s has no locks; nothing keeps a second run out of the folder", path.parent)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one at the path."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    """Write who holds the lock. On a full disk it works without."""
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
        return "another process"
