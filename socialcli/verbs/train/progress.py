"""What a training says on standard error while it works: steps, loss and accuracy."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator

from tqdm import tqdm

from socialcli.jobs.progress import SECONDS_BETWEEN_LINES
from socialcli.logs import shows_bars
from socialcli.verbs.train.files import LogRow

_log = logging.getLogger(__name__)


def trained(rows: Iterable[LogRow], steps: int) -> Iterator[LogRow]:
    """Pass the rows of a training's log on, and show its loss and accuracy as `shown` shows answers."""
    if shows_bars():
        with tqdm(total=steps, unit=" steps", desc="train", dynamic_ncols=True) as bar:
            for row in _accuracies_logged(rows):
                yield row
                if row.accuracy is None:
                    bar.update(row.step - bar.n)
                    bar.set_postfix(loss=row.loss, epoch=row.epoch, refresh=False)
        return
    last = time.monotonic()
    losses: list[float] = []
    for row in _accuracies_logged(rows):
        yield row
        losses += [] if row.loss is None else [row.loss]
        now = time.monotonic()
        if losses and (now - last >= SECONDS_BETWEEN_LINES or row.step == steps):
            _log.info("step %d of %d, epoch %d: loss %.4f", row.step, steps, row.epoch, sum(losses) / len(losses))
            last, losses = now, []


def _accuracies_logged(rows: Iterable[LogRow]) -> Iterator[LogRow]:
    for row in rows:
        if row.accuracy is not None:
            _log.info("epoch %d: %s right %.3f of %d", row.epoch, row.task, row.accuracy, row.questions)
        yield row
