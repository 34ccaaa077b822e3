"""Holding back Ctrl-C and termination for the few moments that must not be cut in two."""

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
    """Deliver an interrupt that arrives inside the block right after it.

    Python handles signals in the main thread only, so that in any other there is nothing to hold back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[signal.Signals] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        arrived.append(signal.Signals(number))

    # A handler that was not set from Python reads as None and could not be put back.
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
        handler(number, None)  # not by a signal: a second interrupt would be counted, which stops the process at once
    else:
        signal.raise_signal(number)
