"""Log lines on standard error: text for people, or one JSON object per line for programs.

Every module logs through `logging.getLogger(__name__)`; only the command line configures the handlers.
Standard output carries nothing but results.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

DETAIL = 15  # one line per answer: shown to people with -v only, and always in JSON

_LEVELS = {-1: logging.WARNING, 0: logging.INFO, 1: logging.DEBUG}
_FIELDS = "socialcli_fields"


def event(name: str, **fields: object) -> dict[str, object]:
    """The `extra` of a log call for JSON lines: the event's name and its fields ("episode", "question", ...)."""
    return {_FIELDS: {"event": name, **fields}}


def configure(verbosity: int = 0, style: str = "text") -> None:
    """Log to standard error, replacing any earlier configuration.

    `verbosity` 0 shows warnings and progress; 1 or more adds details; -1 shows warnings and errors; -2 or less
    only errors. `style` is "text" or "json".
    """
    logger, others = logging.getLogger("socialcli"), logging.getLogger()
    for one in (logger, others):
        for old in [handler for handler in one.handlers if isinstance(handler, _StandardError)]:
            one.removeHandler(old)
    handler = _StandardError()
    handler.setFormatter(_JsonLines() if style == "json" else _Text())
    logger.addHandler(handler)
    level = logging.ERROR if verbosity < -1 else _LEVELS[min(verbosity, 1)]
    logger.setLevel(min(level, DETAIL) if style == "json" and verbosity == 0 else level)
    logging.captureWarnings(style == "json")
    if style == "json":  # every line is an object, those of libraries too
        of_others = _StandardError(max(level, logging.WARNING))
        of_others.setFormatter(_JsonLines())
        of_others.addFilter(lambda record: not f"{record.name}.".startswith("socialcli."))
        others.addHandler(of_others)


def adopt(library: str) -> None:
    """In JSON style, route a library's log lines through our handler instead of its own."""
    if any(isinstance(handler, _StandardError) for handler in logging.getLogger().handlers):
        logger = logging.getLogger(library)
        logger.handlers.clear()
        logger.propagate = True


def is_json() -> bool:
    """Whether log lines are JSON objects."""
    return isinstance(_formatter(), _JsonLines)


def shows_bars() -> bool:
    """Whether progress bars make sense: a person reads standard error and did not silence it."""
    return sys.stderr is not None and sys.stderr.isatty() and _shows_progress() and not is_json()


def formatted(message: str) -> str:
    """An error message as the handler would write it. Takes no lock."""
    record = logging.LogRecord("socialcli", logging.ERROR, "", 0, message, None, None)
    return (_formatter() or _Text()).format(record)


def _shows_progress() -> bool:
    return logging.getLogger("socialcli").isEnabledFor(logging.INFO)


def _formatter() -> logging.Formatter | None:
    handlers = logging.getLogger("socialcli").handlers
    return next((handler.formatter for handler in handlers if isinstance(handler, _StandardError)), None)


class _StandardError(logging.Handler):
    """Writes to the current `sys.stderr`, above any progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is None:  # closed by the caller; tqdm would write to standard output instead
            return
        from tqdm import tqdm  # deferred to the first line, so that `--help` does not import it

        try:
            tqdm.write(self.format(record), file=sys.stderr)
            sys.stderr.flush()
        except OSError:
            self.handleError(record)


class _Text(logging.Formatter):
    """`socialcli: warning: message`; informational lines omit the level."""

    def __init__(self) -> None:
        super().__init__("socialcli: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        if record.levelno in (DETAIL, logging.INFO):
            return super().formatMessage(record)
        return f"socialcli: {record.levelname.lower()}: {record.message}"


class _JsonLines(logging.Formatter):
    """One object per line: time (UTC, ISO 8601), level, event, episode, question, seconds, message, and more.

    The first six are always present, null if unused; `seconds` is the time an answer took.
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
