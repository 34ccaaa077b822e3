"""Items are prepared ahead, in order, a few at a time; errors come at their turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice

import pytest

from socialcli.jobs.prefetch import ahead, default_workers


def square(number: int) -> int:
    return number * number


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_items_keep_their_order(workers: int) -> None:
    assert list(ahead(square, range(50), workers)) == [(n, n * n) for n in range(50)]


def test_the_next_item_is_prepared_while_the_last_is_worked_on() -> None:
    started = [threading.Event() for _ in range(3)]

    def prepare(number: int) -> None:
        started[number].set()

    items = ahead(prepare, range(3), workers=1)
    next(items)
    assert started[1].wait(timeout=10)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_only_a_few_items_are_taken_ahead(workers: int) -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    for count, (number, _) in enumerate(ahead(square, items(), workers), start=1):
        assert number == count - 1
        assert len(taken) <= count + (workers + 1 if workers else 0)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_the_items_comes_after_those_before_it(workers: int) -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("the file ends here")

    done = []
    with pytest.raises(OSError, match="ends here"):
        for number, _ in ahead(square, items(), workers):
            done.append(number)
    assert done == list(range(5))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_an_item_comes_at_its_turn(workers: int) -> None:
    def prepare(number: int) -> float:
        return 1 / (number - 3)

    items = ahead(prepare, range(6), workers)
    assert [number for number, _ in islice(items, 3)] == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        next(items)


def test_threads_end_with_the_iteration() -> None:
    items = ahead(square, range(100), workers=2)
    next(items)
    assert any(thread.name.startswith("socialcli-prepare") for thread in threading.enumerate())
    items.close()
    assert not any(thread.name.startswith("socialcli-prepare") for thread in threading.enumerate())


def test_nobody_waits_for_work_that_is_not_wanted_any_more() -> None:
    stuck = threading.Event()
    items = ahead(lambda number: number and stuck.wait(60), range(3), workers=1)
    next(items)
    started = time.monotonic()
    items.close()
    assert time.monotonic() - started < 30
    stuck.set()


def test_there_are_not_too_many_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {}
    for cores in (1, 2, 4, 8, 64):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        counts[cores] = default_workers(on_cpu=True), default_workers(on_cpu=False)
    assert counts == {1: (0, 1), 2: (0, 1), 4: (1, 1), 8: (2, 2), 64: (4, 4)}
