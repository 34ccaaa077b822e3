"""Count what a conversion kept, merged and dropped, and handle bad parts of its sources."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socialcli.errors import InvalidInputError, NotFoundError, QuestionError

_log = logging.getLogger(__name__)

MOST_WARNINGS = 20  # about skipped parts: a wrong folder should not log a line for each of ten thousand clips


class SourceError(InvalidInputError):
    """A part of a source that cannot be used; the message says where it is, what is wrong and what to do."""

    def __init__(self, path: Path, line: int | None, field: str | None, message: str) -> None:
        """Report a problem at a line (from 1) and a field of `path`; None if there is no such place."""
        place = ":".join(str(part) for part in (path, line, field) if part is not None)
        super().__init__(f"{place}: {message}")


class Report:
    """The counts of a conversion, in order of first mention.

    `skipped` counts the parts of the sources that could not be used, `boxes_read` the boxes of people in the sources,
    `boxes_kept` those at least partly inside the picture.
    """

    def __init__(self, skip_bad: bool) -> None:
        """Create an empty report. `skip_bad`: skip a part that cannot be used instead of stopping."""
        self.counts: Counter[str] = Counter()
        self.skipped = 0
        self.boxes_read = 0
        self.boxes_kept = 0
        self._skip_bad = skip_bad

    def count(self, what: str, number: int = 1) -> None:
        """Add to the count of `what`, a plural such as "boxes cut at the edge of the picture"."""
        self.counts[what] += number

    def skip_or_raise(self, error: InvalidInputError | NotFoundError | QuestionError) -> None:
        """Handle a part that cannot be used: raise `error`, or count and log it if bad parts are skipped."""
        if not self._skip_bad:
            raise error
        self.skipped += 1
        if self.skipped <= MOST_WARNINGS:
            _log.warning("skipped: %s", error)
        elif self.skipped == MOST_WARNINGS + 1:
            _log.warning("more parts were skipped; further ones are counted but not logged")

    def inform(self, message: str) -> None:
        """Say what the conversion does, which --quiet omits."""
        _log.info("%s", message)

    def warn(self, message: str) -> None:
        """Warn about the conversion as a whole."""
        _log.warning("%s", message)

    @contextmanager
    def skipping_bad(self) -> Iterator[None]:
        """Handle a source error in the block as that of one bad part."""
        try:
            yield
        except (InvalidInputError, NotFoundError, QuestionError) as error:
            self.skip_or_raise(error)
