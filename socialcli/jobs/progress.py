"""What a job reports on standard error while it works: its progress, and its failures."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from tqdm import tqdm

from socialcli.episodes.reading import EpisodeRow
from socialcli.logs import DETAIL, event, shows_bars
from socialcli.results.predictions import Prediction

_log = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 30.0
LINES_OF_A_RATE = 10
SECONDS_TO_END = 1.0
MOST_WARNINGS = 20  # of failures: a wrong --media-root should not write ten thousand lines


def shown(predictions: Iterable[Prediction], total: int | None = None, what: str = "run") -> Iterator[Prediction]:
    """Pass the rows on, and show how many of `total` are done: a bar on a terminal, log lines elsewhere."""
    if shows_bars():
        yield from tqdm(predictions, unit=" answers", desc=what, total=total, dynamic_ncols=True)
        return
    heartbeat = Heartbeat(total)
    with _beating(heartbeat.log):
        for prediction in predictions:
            yield prediction
            heartbeat.add(prediction)


@contextmanager
def _beating(beat: Callable[[], None]) -> Iterator[None]:
    """Call `beat` every `SECONDS_BETWEEN_LINES` from a thread, as long as the block lasts."""
    ended = threading.Event()

    def keep_beating() -> None:
        while not ended.wait(SECONDS_BETWEEN_LINES):
            beat()

    thread = threading.Thread(target=keep_beating, name="socialcli-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(SECONDS_TO_END)  # it may be blocked by a pipe that nobody reads


class Heartbeat:
    """Log lines that say that a job is alive, how far it is, and when it may end."""

    def __init__(self, total: int | None) -> None:
        """Start with nothing done of `total` answers; None: unknown."""
        self._total = total
        self._done = self._failed = 0
        self._recent = deque([(time.monotonic(), 0)], maxlen=LINES_OF_A_RATE)

    def add(self, prediction: Prediction) -> None:
        """Count an answer."""
        self._done += 1
        self._failed += prediction.status == "failed"

    def log(self) -> None:
        """Log a line. Its rate, in answers per second, is that of the last minutes, since answers come in groups."""
        now, done = time.monotonic(), self._done
        then, before = self._recent[0]
        rate = (done - before) / max(now - then, 1e-9)
        self._recent.append((now, done))
        left = None if self._total is None else max(self._total - done, 0)
        end = datetime.now(UTC) + timedelta(seconds=left / rate) if left is not None and rate else None
        _log.info(
            "%s answers, %d failed, %.2f a second%s",
            f"{done}" if self._total is None else f"{done} of {self._total}",
            *(self._failed, rate),
            f"; the end is expected at {end.astimezone():%Y-%m-%d %H:%M:%S}" if end else "",
            extra=event(
                "heartbeat",
                done=done,
                left=left,
                failed=self._failed,
                rate=round(rate, 4),
                end=end.isoformat(timespec="seconds") if end else None,
            ),
        )


def log_answers(rows: Sequence[Prediction]) -> None:
    """Log the computed rows of a question; shown with -v and as JSON lines."""
    for row in rows:
        _log.log(
            DETAIL,
            "question %r: %s",
            *(row.question_id, row.prediction or row.status),
            extra=event(
                "answer",
                episode=row.episode_id,
                question=row.question_id,
                seconds=None if row.seconds is None else round(row.seconds, 4),
                status=row.status,
                alignment=row.alignment,
            ),
        )


def counted(items: Iterable[T], what: str, unit: str, total: int | None = None) -> Iterator[T]:
    """Pass the items on, and show how many `unit` are done, of `total` if known, as `shown` does."""
    if shows_bars():
        yield from tqdm(items, unit=f" {unit}", desc=what, total=total, dynamic_ncols=True)
        return
    started = last = time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            done = f"{count}" if total is None else f"{count} of {total}"
            _log.info("%s %s, %.2f a second", done, unit, count / (now - started))
            last = now


class FailureLog:
    """Warns of failed questions: once per error and episode, however many questions and conditions it has."""

    def __init__(self) -> None:
        """Start without warnings."""
        self._warned = 0

    def warn(self, episode: EpisodeRow, rows: Sequence[Prediction]) -> None:
        """Warn of the failures among the rows of an episode; after `MOST_WARNINGS`, say where to find the others."""
        questions: dict[str, dict[str, None]] = {}  # error -> ids of questions, in order
        for row in rows:
            if row.error is not None:
                questions.setdefault(row.error, {})[row.question_id] = None
        for error, ids in questions.items():
            self._warned += 1
            if self._warned <= MOST_WARNINGS:
                place = f"{episode.source_name}:{episode.row}"
                located = f"{place}:" in error  # as annotation errors are
                fields = event("failure", episode=(episode.record or {}).get("episode_id"), question=next(iter(ids)))
                _log.warning("%s%s: %s", "" if located else f"{place}: ", _named(list(ids)), error, extra=fields)
            elif self._warned == MOST_WARNINGS + 1:
                _log.warning("more questions fail; the column 'error' of predictions.parquet says why of each")


def _named(ids: Sequence[str]) -> str:
    if len(ids) > 1:
        return f"{len(ids)} questions failed, {ids[0]!r} first"
    return f"question {ids[0]!r} failed"
