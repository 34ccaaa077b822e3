"""Stores answers, or other rows, as they are computed: small Parquet files, each written atomically.

A killed process loses only what it has not written yet: less than `QUESTIONS` questions, or `SECONDS` of work.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.files import atomic_write
from socialcli.interrupts import uninterrupted
from socialcli.results.tables import RowKind

T = TypeVar("T")

QUESTIONS = 64  # in a part at most, unless a batch has more
SECONDS = 30.0  # that an answer waits at most to be written


def part_paths(folder: Path) -> list[Path]:
    """The parts in a folder, in the order in which they were written."""
    return sorted((path for path in folder.glob("*.parquet") if path.stem.isdigit()), key=lambda path: int(path.stem))


class PartWriter(Generic[T]):
    """Writes rows of a kind as parts, after the existing ones. A context manager; its end writes what is left.

    A thread writes answers that have waited for `seconds`. If it fails (a full disk), the next `write`, or the end of
    the block, raises the error.
    """

    def __init__(self, folder: Path, kind: RowKind[T], questions: int = QUESTIONS, seconds: float = SECONDS) -> None:
        """Create the folder if it is missing. Raises OSError."""
        folder.mkdir(exist_ok=True)
        existing = part_paths(folder)
        self._folder = folder
        self._kind = kind
        self._number = int(existing[-1].stem) + 1 if existing else 1
        self._questions = questions
        self._seconds = seconds
        self._rows: list[dict[str, Any]] = []
        self._waiting = 0  # questions
        self._due: float | None = None  # when the oldest row must be written
        self._error: OSError | None = None
        self._ended = False
        self._state = threading.Condition(threading.RLock())
        self._thread = threading.Thread(target=self._flush_when_due, name="socialcli-parts", daemon=True)

    @property
    def number(self) -> int:
        """The number of the next part; grows with every part written."""
        return self._number

    def __enter__(self) -> Self:
        """Return the writer itself."""
        self._thread.start()
        return self

    def write(self, questions: Sequence[Sequence[T]]) -> None:
        """Take the rows of the questions of a batch, by question; they are all written into one part.

        Raises OSError where a part cannot be written.
        """
        if not questions:
            return
        with uninterrupted(), self._state:
            self._raise()
            if self._waiting + len(questions) > self._questions:
                self._flush()
            self._rows += [self._kind.as_record(row) for rows in questions for row in rows]
            self._waiting += len(questions)
            if self._due is None:
                self._due = time.monotonic() + self._seconds
                self._state.notify()
            if self._waiting >= self._questions:
                self._flush()

    def flush(self) -> None:
        """Write the waiting rows now. Raises OSError where they cannot be written."""
        with uninterrupted(), self._state:
            self._raise()
            self._flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the waiting rows, whatever ended the block."""
        with uninterrupted(), self._state:
            self._ended = True
            self._state.notify()
            if error is None:
                self._raise()
            try:
                if self._error is None:
                    self._flush()
            finally:
                with suppress(OSError):  # not empty
                    self._folder.rmdir()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _flush(self) -> None:
        if not self._rows:
            return
        table = pa.Table.from_pylist(self._rows, schema=self._kind.schema)
        with atomic_write(self._folder / f"{self._number:06}.parquet") as file:
            pq.write_table(table, file, compression="zstd")
        self._number += 1
        self._rows, self._waiting, self._due = [], 0, None

    def _flush_when_due(self) -> None:
        with self._state:
            while not self._ended:
                self._state.wait(None if self._due is None else max(0.0, self._due - time.monotonic()))
                if self._due is not None and time.monotonic() >= self._due and not self._ended:
                    try:
                        self._flush()
                    except OSError as error:
                        self._error = error
                        return
