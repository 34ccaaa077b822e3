"""Work on the next items while somebody is busy with the ones before: threads, a bounded queue, the order kept."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

MOST_WORKERS = 4  # more decode faster than any model answers
SECONDS_TO_END = 1.0  # for work that nobody waits for any more


def default_workers(on_cpu: bool) -> int:
    """A thread for every four cores; at least one, unless the model itself computes `on_cpu`.

    There, on a machine of two cores, a thread made a run 5 % slower: what it reads costs the model as much time.
    """
    cores = os.cpu_count() or 1
    return min(MOST_WORKERS, max(cores // 4, 0 if on_cpu else 1))


def ahead(prepare: Callable[[T], U], items: Iterable[T], workers: int) -> Generator[tuple[T, U], None, None]:
    """Yield every item with what `prepare` made of it, in order, while `workers` threads prepare the next ones.

    At most `workers` + 1 items are ready or on their way beyond the one that was asked for; without workers, none is.
    An error of `items` is raised when all items before it have been yielded, one of `prepare` at its item's turn.
    However the iteration ends, no more work is begun.
    """
    if not workers:
        yield from ((item, prepare(item)) for item in items)
        return
    waiting: deque[tuple[T, Future[U]]] = deque()
    threads = _Threads(prepare, workers)
    source = _Source(items)
    try:
        for item in source:
            waiting.append((item, threads.submit(item)))
            if len(waiting) > workers + 1:
                yield _taken(waiting)
        while waiting:
            yield _taken(waiting)
    finally:
        for _, future in waiting:
            future.cancel()
        threads.end()
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


class _Threads(Generic[T, U]):
    """Threads that do as they are told, in order, and that no exit of the process waits for.

    That is why they are not those of `concurrent.futures`: somebody who interrupts a run would have to sit through the
    clips that are just being read.
    """

    def __init__(self, work: Callable[[T], U], count: int) -> None:
        self._work = work
        self._orders: SimpleQueue[tuple[T, Future[U]] | None] = SimpleQueue()
        self._threads = [Thread(target=self._run, name=f"socialcli-prepare-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, item: T) -> Future[U]:
        """Have `item` worked on, when all before it are begun."""
        future: Future[U] = Future()
        self._orders.put((item, future))
        return future

    def end(self) -> None:
        """Let the threads end; those that are at work are waited for only a moment."""
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join(SECONDS_TO_END)

    def _run(self) -> None:
        while (order := self._orders.get()) is not None:
            item, future = order
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._work(item))
            except BaseException as error:  # it belongs to whoever waits for the result
                future.set_exception(error)


def _taken(waiting: deque[tuple[T, Future[U]]]) -> tuple[T, U]:
    item, future = waiting.popleft()
    return item, future.result()
