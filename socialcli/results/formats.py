"""Writes a table in the format of the file's extension: CSV, JSONL or Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import UsageError
from socialcli.files import atomic_write

Row = Mapping[str, Any]  # JSON values under the names of the columns


def write_table(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Write rows under the columns of `schema`, whole or not at all, in the format of the path's extension.

    In CSV, null is an empty cell, a boolean `true` or `false`, and a list its JSON; in JSONL, a row is one object per
    line. Both are UTF-8. Raises UsageError for another extension, OSError if the file cannot be written.
    """
    write = _WRITERS[table_suffix(path)]
    with atomic_write(path) as file:
        write(file, rows, schema)


def table_suffix(path: Path, option: str | None = None) -> str:
    """The path's extension, one of `TABLE_SUFFIXES`. Raises UsageError, which names the `option`, for any other."""
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        named = f"{option} {path}" if option else str(path)
        raise UsageError(f"{named}: the extension sets the format; use one of {', '.join(TABLE_SUFFIXES)}")
    return suffix


def _write_parquet(file: BinaryIO, rows: Sequence[Row], schema: pa.Schema) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), file, compression="zstd")


def _write_jsonl(file: BinaryIO, rows: Sequence[Row], schema: pa.Schema) -> None:
    for row in rows:
        record = {name: row[name] for name in schema.names}
        file.write(json.dumps(record, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace") + b"\n")


def _write_csv(file: BinaryIO, rows: Sequence[Row], schema: pa.Schema) -> None:
    text = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(schema.names)
    writer.writerows([_cell(row[name]) for name in schema.names] for row in rows)
    text.flush()
    text.detach()  # the file is closed by whoever opened it


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_WRITERS: Mapping[str, Callable[[BinaryIO, Sequence[Row], pa.Schema], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
TABLE_SUFFIXES = tuple(_WRITERS)
"""The extensions of table files."""
