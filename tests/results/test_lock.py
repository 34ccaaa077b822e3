from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from socialcli.errors import FolderInUseError
from socialcli.results.lock import LOCK_NAME, locked

from ..verbs.runs import shell_environment

HOLD = """
import sys
from pathlib import Path
from socialcli.results.lock import locked

with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """A process that holds the lock until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        env=shell_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_reported_who_has_it(tmp_path: Path) -> None:
    process = holder(tmp_path)
    try:
        with pytest.raises(FolderInUseError, match=rf"in use by process {process.pid} on \S+ since 20\d\d-"):
            locked(tmp_path).__enter__()
    finally:
        process.communicate("\n", timeout=30)
    with locked(tmp_path):
        assert json.loads((tmp_path / LOCK_NAME).read_text())["process"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    process = holder(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert (tmp_path / LOCK_NAME).exists()
    with locked(tmp_path), pytest.raises(FolderInUseError, match=f"process {os.getpid()} "):
        locked(tmp_path).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_without_a_name_in_it_holds(tmp_path: Path) -> None:
    with locked(tmp_path):
        (tmp_path / LOCK_NAME).write_text("{")
        with pytest.raises(FolderInUseError, match="in use by another process; wait"):
            locked(tmp_path).__enter__()


def test_many_at_once_never_hold_it_together(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from socialcli.errors import FolderInUseError
from socialcli.results.lock import locked

folder = Path(sys.argv[1])
held = 0
while held < 30:
    try:
        with locked(folder):
            (folder / "alone").touch(exist_ok=False)  # fails if another one is in here
            (folder / "alone").unlink()
            held += 1
    except FolderInUseError:
        time.sleep(0.0005)
"""
    words = [sys.executable, "-c", program, str(tmp_path)]
    crowd = [subprocess.Popen(words, env=shell_environment(), stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [(one.communicate(timeout=60)[1], one.returncode) for one in crowd] == [("", 0)] * 4


def test_a_file_system_without_locks_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import errno
    import fcntl

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path):
        assert "nothing keeps a second run out of the folder" in caplog.text


def test_the_lock_of_another_user_can_be_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = os.open

    def refused(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR and os.path.exists(path):
            raise PermissionError(13, "Permission denied", str(path))
        return really(path, flags, mode)

    process = holder(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        with pytest.raises(FolderInUseError, match=f"in use by process {process.pid} on"), locked(tmp_path):
            pass
        process.communicate("\n")
        (tmp_path / LOCK_NAME).write_text("{}")
        with locked(tmp_path):
            pass
