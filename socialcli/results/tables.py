"""Tables of rows stored under keys: how a kind of row is written to Parquet and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.files import PendingFile, naming
from socialcli.interrupts import uninterrupted
from socialcli.results.casting import cast_to_rows
from socialcli.results.columns import arrow_schema

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RowKind(Generic[T]):
    """How rows of one kind are stored in Parquet. The column `key` (text, never null) hashes what a row depends on."""

    what: str  # names the rows in messages: "answers"
    columns: type  # the `table_row` whose columns the file has
    as_record: Callable[[T], dict[str, Any]]
    from_record: Callable[[Mapping[str, Any]], T]  # raises TypeError or ValueError
    failed: Callable[[pa.Table], list[bool]]  # for each row, whether it is worth another try
    group: int  # rows held in memory before they go to a file

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the file."""
        return arrow_schema(self.columns)

    def of_this_version(self, table: pa.Table) -> pa.Table:
        """Cast a table of any version to these columns. Raises ValueError, as `cast_to_rows` does."""
        return cast_to_rows(table, self.columns)


class TableWriter(Generic[T]):
    """Writes rows in order to a Parquet file that takes its name when the `with` block ends.

    If the block ends with an error or an interrupt, or a row cannot be written (a full disk: OSError), the file is
    discarded and an earlier file of that name stays.
    """

    def __init__(self, path: Path, kind: RowKind[T]) -> None:
        """Start the file that will become `path`. Raises OSError if its folder cannot be written to."""
        self._kind = kind
        self._pending: list[dict[str, Any]] = []
        self._broken = False
        self._file = PendingFile(path)
        self._writer = pq.ParquetWriter(self._file.file, kind.schema, compression="zstd")

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def write(self, row: T) -> None:
        """Append a row. Raises OSError if the disk is full; the file is then lost."""
        self._pending.append(self._kind.as_record(row))
        if len(self._pending) >= self._kind.group:
            with uninterrupted(), naming(self._file.path):
                self._flush()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the finished file its name, or discard it if the block or a write failed."""
        with uninterrupted(), naming(self._file.path):
            if self._broken or error is not None:
                self._discard()
                return
            try:
                self._flush()
                self._writer.close()
                self._file.commit()
            except BaseException:
                self._discard()
                raise

    def _flush(self) -> None:
        if not self._pending:
            return
        table = pa.Table.from_pylist(self._pending, schema=self._kind.schema)
        self._broken = True  # the file is unusable until the row group is complete
        self._writer.write_table(table)
        self._broken = False
        self._pending.clear()

    def _discard(self) -> None:
        # The disk may be full: that error is being raised already, and the file is removed.
        with suppress(OSError):
            self._writer.close()
        with suppress(OSError):
            self._file.discard()


def write_any(path: Path, kind: RowKind[T], rows: Iterable[T]) -> bool:
    """Write rows as a table and return True; without rows, write no file and return False. Raises OSError."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return False
    with TableWriter(path, kind) as writer:
        for row in chain([first], rows):
            writer.write(row)
    return True
