"""Prepares the next items in threads while the caller works on the current one, in order and bounded in number."""

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

MOST_WORKERS = 4  # more would decode faster than any model answers
SECONDS_TO_END = 1.0  # to wait for work whose result nobody needs


def default_workers(on_cpu: bool) -> int:
    """One thread for every four cores; at least one, unless the model itself runs `on_cpu`.

    With the model on a CPU of two cores, a thread made a run 5 % slower: it takes time from the model.
    """
    cores = os.cpu_count() or 1
    return min(MOST_WORKERS, max(cores // 4, 0 if on_cpu else 1))


def ahead(prepare: Callable[[T], U], items: Iterable[T], workers: int) -> Generator[tuple[T, U], None, None]:
    """Yield every item with what `prepare` made of it, in order, while `workers` threads prepare the next ones.

    At most `workers` + 1 items are prepared ahead of the one being yielded; without workers, none is. An error of
    `items` is raised when all items before it have been yielded, one of `prepare` at its item's turn. However the
    iteration ends, no further work starts.
    """
    if not workers:
        yield from ((item, prepare(item)) for item in items)
        return
    queue: deque[tuple[T, Future[U]]] = deque()
    threads = _Threads(prepare, workers)
    source = _Source(items)
    try:
        for item in source:
            queue.append((item, threads.submit(item)))
            if len(queue) > workers + 1:
                yield _next(queue)
        while queue:
            yield _next(queue)
    finally:
        for _, future in queue:
            future.cancel()
        threads.end()
    if source.error is not None:
        raise source.error


class _Source(Iterable[T]):
    """Items up to the first error, which is stored."""

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
            except Exception as error:  # `ahead` raises it once the items before it are done
                self.error = error
                return
            yield item


class _Threads(Generic[T, U]):
    """Threads that work on items in order, and that the process does not wait for when it exits.

    Those of `concurrent.futures` are waited for: an interrupted run would first read the clips it has begun.
    """

    def __init__(self, work: Callable[[T], U], count: int) -> None:
        self._work = work
        self._items: SimpleQueue[tuple[T, Future[U]] | None] = SimpleQueue()
        self._threads = [Thread(target=self._run, name=f"socialcli-prepare-{n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, item: T) -> Future[U]:
        """Queue `item` for work."""
        future: Future[U] = Future()
        self._items.put((item, future))
        return future

    def end(self) -> None:
        """Stop the threads, waiting only briefly for those at work."""
        for _ in self._threads:
            self._items.put(None)
        for thread in self._threads:
            thread.join(SECONDS_TO_END)

    def _run(self) -> None:
        while (submitted := self._items.get()) is not None:
            item, future = submitted
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._work(item))
            except BaseException as error:  # for whoever takes the result
                future.set_exception(error)


def _next(queue: deque[tuple[T, Future[U]]]) -> tuple[T, U]:
    item, future = queue.popleft()
    return item, future.result()
