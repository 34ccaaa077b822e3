"""Work on the next items while somebody is busy with the ones before: threads, a bounded queue, the order kept."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


MOST_WORKERS = 4  # more decode faster than any model answers


def default_workers() -> int:
    """A thread for every four cores, and at least one: the others are the model's."""
    return max(1, min(MOST_WORKERS, (os.cpu_count() or 1) // 4))


def ahead(prepare: Callable[[T], U], items: Iterable[T], workers: int) -> Iterator[tuple[T, U]]:
    """Yield every item with what `prepare` made of it, in order, while `workers` threads prepare the next ones.

    At most `workers` + 1 items are ready or on their way beyond the one that was asked for; without workers, none is.
    An error of `items` is raised when all items before it have been yielded, one of `prepare` at its item's turn.
    Whatever ends the iteration, items on their way are finished and dropped, and the threads end.
    """
    if not workers:
        yield from ((item, prepare(item)) for item in items)
        return
    waiting: deque[tuple[T, Future[U]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="socialcli-prepare")
    source = _Source(items)
    try:
        for item in source:
            waiting.append((item, pool.submit(prepare, item)))
            if len(waiting) > workers + 1:
                yield _taken(waiting)
        while waiting:
            yield _taken(waiting)
    finally:
        pool.shutdown(cancel_futures=True)
    if source.error is not None:
        raise source.error


class _Source(Iterable[T]):
    """Items up to the first error, which is kept for later."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[T]:
        items = iter(self._items)
        while True:
            try:
                item = next(items)
            except StopIteration:
                return
            except Exception as error:  # raised by `ahead`, when the items before it are done
                self.error = error
                return
            yield item


def _taken(waiting: deque[tuple[T, Future[U]]]) -> tuple[T, U]:
    item, future = waiting.popleft()
    return item, future.result()
