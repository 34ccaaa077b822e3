"""Episodes as rows of a Parquet file. Importing this imports pyarrow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.episodes.formats.arrow import EPISODE_ARROW_SCHEMA, added_columns, column_mismatches
from socialcli.episodes.formats.index_columns import log_added
from socialcli.episodes.formats.jsonl import RecordLine
from socialcli.errors import InvalidInputError

_ROWS_AT_ONCE = 16  # with a few hundred boxes each: memory stays flat, and more would not be faster
_ROWS_IN_GROUP = 128  # a reader holds one group's pages in memory, plus the footer's entry for every group
MOST_VALUES = 2**22
"""The most values, such as the x0 of boxes, that a column may have per row of a group, on average."""


def parquet_rows(path: Path) -> Iterator[RecordLine]:
    """The rows of a Parquet file, a few in memory at a time.

    Raises InvalidInputError if the file is damaged or its columns cannot hold episodes.
    """
    row = 0
    try:
        with (
            pa.OSFile(os.fspath(path), "rb") as source,
            pq.ParquetFile(source, page_checksum_verification=True) as file,
        ):
            if mismatches := column_mismatches(file.schema_arrow):
                found = ", ".join(mismatches)
                raise InvalidInputError(f"{path}: does not hold episodes: {found}; see `socialcli schema episode`")
            added = added_columns(file.schema_arrow)
            log_added(path, added)
            columns = [name for name in file.schema_arrow.names if name not in added] if added else None
            for group in range(file.num_row_groups):
                _check_size(path, file.metadata.row_group(group))
                # Group by group, because a reader of the whole file retains some memory for every group it has read.
                for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=columns, use_threads=False):
                    for record in batch.to_pylist():
                        row += 1
                        yield RecordLine(row, record)
            if row != file.metadata.num_rows:
                declared = file.metadata.num_rows
                raise InvalidInputError(
                    f"{path}: is damaged: it declares {declared} rows but has {row}; write it again"
                )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        where = f"is damaged after row {row}" if row else "is damaged or not a complete Parquet file"
        raise InvalidInputError(f"{path}: {where} ({error}); write it again") from error


def _check_size(path: Path, group: pq.RowGroupMetaData) -> None:
    """Reject a group whose few bytes encode a huge number of equal values, before they are in memory."""
    columns = (group.column(index) for index in range(group.num_columns))
    most = max(columns, key=lambda column: column.num_values)
    if most.num_values > MOST_VALUES * max(group.num_rows, 1):
        raise InvalidInputError(
            f"{path}: {most.path_in_schema} has {most.num_values} values in {group.num_rows} rows, more than "
            f"{MOST_VALUES} in each; cut the episodes into shorter clips"
        )


class ParquetSink:
    """Writes records to a Parquet file, a few at a time."""

    def __init__(self, target: Any) -> None:
        """Write to the open binary file `target`, which stays open."""
        self._writer = pq.ParquetWriter(target, EPISODE_ARROW_SCHEMA, compression="zstd", write_page_checksum=True)
        self._pending: list[dict[str, Any]] = []

    def write(self, record: dict[str, Any]) -> None:
        """Add a record that is valid under the schema."""
        self._pending.append(record)
        if len(self._pending) == _ROWS_IN_GROUP:
            self._flush()

    def close(self) -> None:
        """Write the pending records and the file's footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._pending:
            self._writer.write_table(pa.Table.from_pylist(self._pending, schema=EPISODE_ARROW_SCHEMA))
            self._pending.clear()
