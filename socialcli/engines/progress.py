"""How far a run is, on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from socialcli.runs.predictions import Prediction

_log = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 30.0


def shown(predictions: Iterable[Prediction]) -> Iterator[Prediction]:
    """Pass the rows on, and show how many there have been."""
    if sys.stderr.isatty() and _log.isEnabledFor(logging.INFO):
        with logging_redirect_tqdm([logging.getLogger("socialcli")]):
            yield from tqdm(predictions, unit=" answers", desc="run", dynamic_ncols=True)
    else:
        yield from _in_lines(predictions)


def _in_lines(predictions: Iterable[Prediction]) -> Iterator[Prediction]:
    started = last = time.monotonic()
    failed = 0
    for count, prediction in enumerate(predictions, start=1):
        yield prediction
        failed += prediction.status == "failed"
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            _log.info("%d answers, %d failed, %.1f a second", count, failed, count / (now - started))
            last = now
