"""Episodes as rows of a Parquet file. Importing this imports pyarrow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.episodes.arrow import EPISODE_ARROW_SCHEMA, column_mismatches
from socialcli.episodes.lines import RecordLine
from socialcli.errors import InvalidInputError

_ROWS_AT_ONCE = 16  # of a few hundred boxes each: memory stays flat, and more would not be faster
_ROWS_IN_GROUP = 64


def parquet_rows(path: Path) -> Iterator[RecordLine]:
    """The rows of a Parquet file, a few in memory at a time.

    Raises InvalidInputError where the file is damaged or its columns cannot hold episodes.
    """
    row = 0
    try:
        with pa.OSFile(os.fspath(path), "rb") as source, pq.ParquetFile(source) as file:
            if mismatches := column_mismatches(file.schema_arrow):
                found = ", ".join(mismatches)
                raise InvalidInputError(f"{path}: has no episodes: {found}; see `socialcli schema episode`")
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                for record in batch.to_pylist():
                    row += 1
                    yield RecordLine(row, record)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        where = f"is damaged after row {row}" if row else "is damaged, or not a whole Parquet file"
        raise InvalidInputError(f"{path}: {where} ({error}); write it again") from error


class ParquetSink:
    """Writes records into a Parquet file, a few at a time."""

    def __init__(self, target: Any) -> None:
        """Write to the open binary file `target`, which stays open."""
        self._writer = pq.ParquetWriter(target, EPISODE_ARROW_SCHEMA, compression="zstd")
        self._waiting: list[dict[str, Any]] = []

    def write(self, record: dict[str, Any]) -> None:
        """Add a record that keeps the schema."""
        self._waiting.append(record)
        if len(self._waiting) == _ROWS_IN_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is waiting, and the file's footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=EPISODE_ARROW_SCHEMA))
            self._waiting.clear()
