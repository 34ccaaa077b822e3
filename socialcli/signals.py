"""Ctrl-C and SIGTERM while a command works: the first shuts down cleanly, a second Ctrl-C stops at once.

Both are exceptions here, KeyboardInterrupt and Terminated. `socialcli.interrupts` defers them while a file is written,
`socialcli.jobs.lifecycle` records them in the manifest, and `socialcli.cli` returns 130 or 143.
"""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from socialcli import logs
from socialcli.errors import Terminated

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SECONDS_TO_LEAVE_C = 0.01  # delay before an interrupt is sent again


@contextmanager
def handled() -> Iterator[None]:
    """Turn SIGTERM into an exception, like SIGINT, and let a second SIGINT end the process at once.

    Only the main thread can handle signals; in any other thread this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous, hook = signal.signal(signal.SIGTERM, _terminate), sys.unraisablehook
    counter = _Counter()
    sys.unraisablehook = functools.partial(_deliver_again, hook, counter)
    try:
        with counter.counting():
            yield
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGTERM, previous or signal.SIG_DFL)


class _Counter:
    """Counts interrupts in a thread: the main thread may be inside a library, where no Python handler runs."""

    def __init__(self) -> None:
        self.allowed = 1  # the next one ends the process; interrupts that we send again are not counted

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count for the duration of the block."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        earlier = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        thread = threading.Thread(target=self._count, args=[ours], name="socialcli-interrupts", daemon=True)
        thread.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(earlier)
            theirs.close()  # ends the thread
            thread.join()
            ours.close()

    def _count(self, signals: socket.socket) -> None:
        while number := signals.recv(1):
            if number[0] != signal.SIGINT:
                continue
            if not self.allowed:
                line = logs.formatted("interrupted twice: stopped at once; what was written is kept")
                os.write(2, f"{'' if logs.is_json() else chr(10)}{line}\n".encode())
                os._exit(128 + signal.SIGINT)
            self.allowed -= 1


def _terminate(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the clean-up
    raise Terminated


def _deliver_again(
    otherwise: Callable[[UnraisableHookArgs], object], counter: _Counter, unraisable: UnraisableHookArgs
) -> None:
    """Send an interrupt again if it arrived inside a C callback, such as ffmpeg's, where nothing can be raised."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        number = signal.SIGINT
        counter.allowed += 1
    elif isinstance(unraisable.exc_value, Terminated):
        number = signal.SIGTERM
        signal.signal(number, _terminate)
    else:
        otherwise(unraisable)
        return
    # To the main thread, which is this one, so that a blocking call returns.
    again = threading.Timer(_SECONDS_TO_LEAVE_C, signal.pthread_kill, [threading.get_ident(), number])
    again.daemon = True
    again.start()
