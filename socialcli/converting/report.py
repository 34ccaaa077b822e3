"""What a conversion kept, joined and dropped, and the parts of its sources that could not be read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from socialcli.errors import InvalidInputError, NotThereError, QuestionError

_log = logging.getLogger(__name__)

MOST_WARNINGS = 20  # of skipped parts: a wrong folder should not write a line for each of ten thousand clips


class SourceError(InvalidInputError):
    """A part of a source that cannot be used; the message says where it is, what is wrong, and what to do."""

    def __init__(self, path: Path, line: int | None, field: str | None, message: str) -> None:
        """Describe what is wrong at a line (from 1) and a field of `path`; None where there is no such place."""
        place = ":".join(str(part) for part in (path, line, field) if part is not None)
        super().__init__(f"{place}: {message}")


class Report:
    """The counts of a conversion, in the order in which they were first mentioned.

    `skipped` is how many parts of the sources were left out because they could not be used. `boxes_met` are the boxes
    of people in the sources, and `boxes_kept` those of them with a part in the picture.
    """

    def __init__(self, skip_bad: bool) -> None:
        """Begin with nothing counted. `skip_bad`: whether a part that cannot be used costs only itself."""
        self.counts: Counter[str] = Counter()
        self.skipped = 0
        self.boxes_met = 0
        self.boxes_kept = 0
        self._skip_bad = skip_bad

    def count(self, what: str, number: int = 1) -> None:
        """Add to the count of `what`, a plural such as "boxes cut at the edge of the picture"."""
        self.counts[what] += number

    def bad(self, error: InvalidInputError | NotThereError | QuestionError) -> None:
        """Take note of a part that cannot be used: raise `error`, or count and log it where bad parts are skipped."""
        if not self._skip_bad:
            raise error
        self.skipped += 1
        if self.skipped <= MOST_WARNINGS:
            _log.warning("skipped: %s", error)
        elif self.skipped == MOST_WARNINGS + 1:
            _log.warning("skipped more; further ones are only counted")

    def warn(self, message: str) -> None:
        """Say something about the whole of what is converted."""
        _log.warning("%s", message)

    @contextmanager
    def sparing(self) -> Iterator[None]:
        """A block whose errors about its source cost only the block, where bad parts are skipped."""
        try:
            yield
        except (InvalidInputError, NotThereError, QuestionError) as error:
            self.bad(error)
