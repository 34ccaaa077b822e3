"""Finds the answers of an earlier run, or other rows, in a folder by their keys.

Only an index is in memory, 46 bytes per row. Rows are read on demand, one row group at a time, since they are wanted in
about the order in which they were written.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from socialcli.errors import InvalidInputError
from socialcli.results.keys import KEY_LENGTH
from socialcli.results.tables import RowKind

_log = logging.getLogger(__name__)

T = TypeVar("T")

_GROUPS_IN_MEMORY = 4
_KEY = f"S{KEY_LENGTH}"


class EarlierRows(Generic[T]):
    """Rows of earlier files, found by their key."""

    def __init__(
        self, kind: RowKind[T], paths: Sequence[Path], keys: Any, files: Any, groups: Any, rows: Any, failed: Any
    ) -> None:
        """Take what `read` found: the files, and per row its key, file, row group, place in the group, and failure."""
        order = np.argsort(keys, kind="stable")
        self._kind = kind
        self._paths = paths
        self._keys, self._files, self._groups, self._rows, self._failed = (
            found[order] for found in (keys, files, groups, rows, failed)
        )
        self._used = np.zeros(len(order), bool)
        self._records = lru_cache(_GROUPS_IN_MEMORY)(self._read_group)

    @classmethod
    def read(cls, paths: Iterable[Path], kind: RowKind[T], failed: bool = True) -> Self:
        """The rows of a `kind` in files; without the failed ones unless `failed`.

        Of rows with the same key, the one in the last file counts. Warns of a file that cannot be read or is no table
        of such rows, and skips it.
        """
        read: list[Path] = []
        found = [_Found.nothing()]
        for path in paths:
            try:
                found.append(_Found.in_file(path, len(read), kind, failed))
                read.append(path)
            except (pa.ArrowException, ValueError, OSError) as error:
                _log.warning("%s: cannot be read, so its %s are computed again: %s", path, kind.what, error)
        columns = (np.concatenate(column) for column in zip(*(one.columns for one in found), strict=True))
        return cls(kind, read, *columns)

    def __len__(self) -> int:
        """The number of rows, including those that a later file replaces."""
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        """Whether a row has the key. Safe in any thread."""
        return self._place(key) is not None

    def has_failed(self, key: str) -> bool:
        """Whether a row has the key and failed."""
        place = self._place(key)
        return place is not None and bool(self._failed[place])

    def row(self, key: str) -> T:
        """The row with the key, which then counts as used.

        Raises KeyError, and InvalidInputError where its file, or the row, is damaged.
        """
        place = self._place(key)
        if place is None:
            raise KeyError(key)
        self._used[place] = True
        return self._at(place)

    def unused(self) -> Iterator[T]:
        """The rows that `row` has not returned, in the order of the files. Raises as `row` does."""
        last_of_key = np.append(self._keys[1:] != self._keys[:-1], True)[: len(self)]
        places = np.flatnonzero(last_of_key & ~self._used)
        for place in places[np.lexsort((self._rows[places], self._groups[places], self._files[places]))]:
            yield self._at(int(place))

    def _at(self, place: int) -> T:
        records = self._records(int(self._files[place]), int(self._groups[place]))
        try:
            return self._kind.from_record(records[int(self._rows[place])])
        except (TypeError, ValueError) as error:  # somebody has changed the table
            path = self._paths[int(self._files[place])]
            raise InvalidInputError(f"{path}: has an invalid row ({error}); remove the file") from error

    def _place(self, key: str) -> int | None:
        place = int(np.searchsorted(self._keys, key.encode("ascii"), side="right")) - 1
        return place if place >= 0 and self._keys[place] == key.encode("ascii") else None

    def _read_group(self, file: int, group: int) -> list[dict[str, Any]]:
        try:
            with pq.ParquetFile(self._paths[file]) as opened:
                table = self._kind.of_this_version(opened.read_row_group(group))
        except (pa.ArrowException, ValueError, OSError) as error:
            raise InvalidInputError(f"{self._paths[file]}: cannot be read any more: {error}") from error
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows


class _Found:
    """The keys, places and failures of a file's rows."""

    def __init__(self, *columns: Any) -> None:
        self.columns = columns

    @classmethod
    def nothing(cls) -> Self:
        return cls(np.empty(0, _KEY), *(np.empty(0, np.int32) for _ in range(3)), np.empty(0, bool))

    @classmethod
    def in_file(cls, path: Path, number: int, kind: RowKind[Any], failed: bool) -> Self:
        """Read a file to its end. Raises ArrowException, ValueError or OSError where it is damaged."""
        keys, groups, rows = [np.empty(0, _KEY)], [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        failures = [np.empty(0, bool)]
        with pq.ParquetFile(path) as file:
            kind.of_this_version(file.schema_arrow.empty_table())
            for group in range(file.num_row_groups):
                table = kind.of_this_version(file.read_row_group(group))  # all columns, to find damage now
                has_failed = np.array(kind.failed(table), bool)
                chosen = np.flatnonzero(~has_failed | failed).astype(np.int32)
                failures.append(has_failed[chosen])
                keys.append(np.array(table["key"].to_pylist(), _KEY)[chosen])
                rows.append(chosen)
                groups.append(np.full(len(chosen), group, np.int32))
        places = np.concatenate(groups)
        return cls(*map(np.concatenate, (keys, [np.full_like(places, number)], groups, rows, failures)))
