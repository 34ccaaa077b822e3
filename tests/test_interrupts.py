from __future__ import annotations

import signal
import threading

import pytest

from socialcli.interrupts import uninterrupted


def test_an_interrupt_comes_right_after_the_block() -> None:
    reached = False
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        reached = True
    assert reached


def test_termination_goes_to_the_handler_that_stood_before() -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: received.append(number))
    try:
        with uninterrupted(), uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            assert received == []
        assert received == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_handlers_are_restored_after_an_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError), uninterrupted():
        raise RuntimeError
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_need_nothing() -> None:
    done: list[bool] = []

    def work() -> None:
        with uninterrupted():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
