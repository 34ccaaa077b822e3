"""From settings to a folder of episodes: drawn in several processes, written as they come."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from socialcli.episodes.records import Episode
from socialcli.episodes.writing import EpisodeWriter
from socialcli.errors import SocialcliError
from socialcli.synth.episodes import make_episode
from socialcli.synth.folder import SynthFolder
from socialcli.synth.settings import SynthSettings

_log = logging.getLogger(__name__)

Watch = Callable[[Iterable[Episode]], Iterable[Episode]]
Counts = Counter[tuple[str, str]]  # (split, task) -> questions; the task "" counts the episodes themselves

_AHEAD = 4  # episodes that each process may be ahead of the file


@dataclass(frozen=True, slots=True)
class SynthRequest:
    """What `socialcli synth` was asked to do."""

    settings: SynthSettings
    output: Path
    episodes: int
    seed: int = 0
    workers: int = 1  # processes that draw; the result does not depend on it
    overwrite: bool = False  # replace the episodes that the folder holds


def synthesize(request: SynthRequest, watch: Watch = iter) -> Counts:
    """Make the episodes; `watch` sees every one on its way to the file (a progress bar). Returns what there is.

    Videos are written one by one and the episodes file when all are there, each whole or not at all; what breaks the
    work off leaves videos without an episodes file. The same request makes the same files, and the first episodes are
    the same however many there are.

    Raises UsageError where the settings cannot be had, or where the folder holds episodes and `overwrite` is not set;
    OSError where something cannot be written; SocialcliError where a process dies.
    """
    request.settings.check()
    folder = SynthFolder(request.output)
    folder.prepare(request.overwrite)
    counts: Counts = Counter()
    with EpisodeWriter(folder.episodes) as writer, closing(_episodes(request)) as episodes:
        for episode in watch(episodes):
            writer.write(episode)
            counts[episode.split or "", ""] += 1
            counts.update((episode.split or "", question.task) for question in episode.questions)
    _log.info("the episodes are in %s", folder.episodes)
    return counts


def usable_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _episodes(request: SynthRequest) -> Generator[Episode, None, None]:
    make = functools.partial(make_episode, request.settings, request.seed, request.output)
    if min(request.workers, request.episodes) < 2:
        yield from map(make, range(request.episodes))
        return
    # Spawned, for a fork would take over whatever threads and locks the caller has.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(request.workers, request.episodes), context, initializer=_begin_worker)
    try:
        yield from _in_order(pool, make, request)
    except BrokenProcessPool as error:
        raise SocialcliError(
            "a process that draws episodes was ended from outside, or for want of memory; try fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(pool: ProcessPoolExecutor, make: Callable[[int], Episode], request: SynthRequest) -> Iterator[Episode]:
    """The episodes as their indices count, with no more in the making than the processes need."""
    waiting: deque[Future[Episode]] = deque()
    for index in range(request.episodes):
        waiting.append(pool.submit(make, index))
        if len(waiting) > _AHEAD * request.workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end when it does, even by SIGKILL."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
