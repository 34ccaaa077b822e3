"""Create a folder of episodes from settings: draw in several processes, write as they arrive."""

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
from socialcli.synth.speech.espeak import espeak

_log = logging.getLogger(__name__)

Progress = Callable[[Iterable[Episode]], Iterable[Episode]]
Counts = Counter[tuple[str, str]]  # (split, task) -> questions; the task "" counts the episodes themselves

_AHEAD = 4  # episodes that each process may be ahead of the file


@dataclass(frozen=True, slots=True)
class SynthRequest:
    """The parameters of `socialcli synth`."""

    settings: SynthSettings
    output: Path
    episodes: int
    seed: int = 0
    workers: int = 1  # processes that draw; the result does not depend on it
    overwrite: bool = False  # replace the folder's episodes


def synthesize(request: SynthRequest, progress: Progress = iter) -> Counts:
    """Create the episodes; each passes through `progress` (a progress bar) on its way to the file. Returns the counts.

    Every video, and finally the episodes file, is written atomically; an interrupted run leaves videos without an
    episodes file. The same request gives the same files, and the first episodes do not depend on their number.

    Raises UsageError if the settings contradict each other, or if the folder holds episodes and `overwrite` is not set;
    OSError if something cannot be written; SocialcliError if a process dies.
    """
    request.settings.check()
    if request.settings.audio == "espeak":
        espeak()  # says what to install before anything is written
    folder = SynthFolder(request.output, speaks=request.settings.audio is not None)
    folder.prepare(request.overwrite)
    counts: Counts = Counter()
    with EpisodeWriter(folder.episodes) as writer, closing(_episodes(request)) as episodes:
        for episode in progress(episodes):
            writer.write(episode)
            counts[episode.split or "", ""] += 1
            counts.update((episode.split or "", question.task) for question in episode.questions)
    _log.info("the episodes are in %s", folder.episodes)
    return counts


def usable_cores() -> int:
    """The number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _episodes(request: SynthRequest) -> Generator[Episode, None, None]:
    make = functools.partial(make_episode, request.settings, request.seed, request.output)
    if min(request.workers, request.episodes) < 2:
        yield from map(make, range(request.episodes))
        return
    # Spawned, because a fork would inherit the caller's threads and locks.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(request.workers, request.episodes), context, initializer=_begin_worker)
    try:
        yield from _in_order(pool, make, request)
    except BrokenProcessPool as error:
        raise SocialcliError(
            "a process that draws episodes was killed or ran out of memory; try fewer --workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(pool: ProcessPoolExecutor, make: Callable[[int], Episode], request: SynthRequest) -> Iterator[Episode]:
    """The episodes in order of their indices, with only as many in progress as the processes need."""
    pending: deque[Future[Episode]] = deque()
    for index in range(request.episodes):
        pending.append(pool.submit(make, index))
        if len(pending) > _AHEAD * request.workers:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent process, and exit when it does, even after SIGKILL."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
