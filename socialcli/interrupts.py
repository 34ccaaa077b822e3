"""Defer Ctrl-C and SIGTERM during short critical sections.

`socialcli.signals` turns them into exceptions, `socialcli.jobs.lifecycle` records how the job ended, and
`socialcli.cli` returns the exit code.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

HELD_BACK = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Deliver an interrupt that arrives inside the block when the block ends.

    Python handles signals only in the main thread; in any other thread there is nothing to defer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[signal.Signals] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        arrived.append(signal.Signals(number))

    # A handler that was not set from Python reads as None and could not be restored.
    handlers = {number: signal.getsignal(number) for number in HELD_BACK}
    held = {number: handler for number, handler in handlers.items() if handler is not None}
    try:
        for number in held:
            signal.signal(number, remember)
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        for late in dict.fromkeys(arrived):
            _deliver(late, held[late])


def _deliver(number: int, handler: Any) -> None:
    if callable(handler):
        handler(number, None)  # not a real signal: it would count as a second interrupt and stop the process at once
    else:
        signal.raise_signal(number)
