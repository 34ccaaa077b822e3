"""Log lines on standard error, as text for people or as one JSON object a line for machines.

Every module logs through `logging.getLogger(__name__)`; only the command line configures where that goes.
Standard output holds results alone.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

DETAIL = 15  # what a person wants with -v alone, and a program always: a line for every answer

_LEVELS = {-1: logging.WARNING, 0: logging.INFO, 1: logging.DEBUG}
_FIELDS = "socialcli_fields"


def event(name: str, **fields: object) -> dict[str, object]:
    """The `extra` of a log call that JSON lines show: what happened, and where ("episode", "question"), and more."""
    return {_FIELDS: {"event": name, **fields}}


def configure(verbosity: int = 0, style: str = "text") -> None:
    """Send what socialcli logs to standard error, in place of what an earlier call set up.

    `verbosity` 0 shows warnings and progress; 1 and more details as well; -1 warnings and errors; -2 and less
    errors alone. `style` is "text" or "json".
    """
    handler = _StandardError()
    handler.setFormatter(_JsonLines() if style == "json" else _Text())
    logger = logging.getLogger("socialcli")
    for old in [one for one in logger.handlers if isinstance(one, _StandardError)]:
        logger.removeHandler(old)
    logger.addHandler(handler)
    level = logging.ERROR if verbosity < -1 else _LEVELS[min(verbosity, 1)]
    logger.setLevel(min(level, DETAIL) if style == "json" and verbosity == 0 else level)


class _StandardError(logging.Handler):
    """Writes to whatever `sys.stderr` is at that moment, and above a progress bar where one is shown."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is None:  # where the caller closed it; tqdm would write to standard output instead
            return
        from tqdm import tqdm  # not before there is something to say: `--help` says nothing

        try:
            tqdm.write(self.format(record), file=sys.stderr)
            sys.stderr.flush()
        except OSError:
            self.handleError(record)


class _Text(logging.Formatter):
    """`socialcli: warning: what`, with the level left out where it says nothing."""

    def __init__(self) -> None:
        super().__init__("socialcli: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        if record.levelno in (DETAIL, logging.INFO):
            return super().formatMessage(record)
        return f"socialcli: {record.levelname.lower()}: {record.message}"


class _JsonLines(logging.Formatter):
    """One object a line: time (UTC, ISO 8601), level, event, episode, question, seconds, message, and more.

    The first six are always there, null where they say nothing; `seconds` are those that an answer took.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": "info" if record.levelno == DETAIL else record.levelname.lower(),
            **dict.fromkeys(("event", "episode", "question", "seconds")),
            **getattr(record, _FIELDS, {}),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
