"""What a folder holds of the answers of an earlier run, or of other rows: each by its key.

In memory is an index alone, 46 bytes a row; the rows themselves are read when they are asked for, a few hundred at a
time, since they are asked for in about the order in which they were written.
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


class KeptRows(Generic[T]):
    """Rows of earlier files, found by their key."""

    def __init__(
        self, kind: RowKind[T], paths: Sequence[Path], keys: Any, files: Any, groups: Any, rows: Any, failed: Any
    ) -> None:
        """Take what `read` has found: the files, and of each row its key, file, row group, place in that, and fate."""
        order = np.argsort(keys, kind="stable")
        self._kind = kind
        self._paths = paths
        self._keys, self._files, self._groups, self._rows, self._failed = (
            found[order] for found in (keys, files, groups, rows, failed)
        )
        self._taken = np.zeros(len(order), bool)
        self._records = lru_cache(_GROUPS_IN_MEMORY)(self._read_group)

    @classmethod
    def read(cls, paths: Iterable[Path], kind: RowKind[T], failed: bool = True) -> Self:
        """The rows of a `kind` in files, those that failed left out unless `failed`.

        Of rows with the same key the one in the last file counts. A file that cannot be read, or that is no table of
        such rows, is a warning, and counts as not there.
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
        """The number of rows, those included that another one replaces."""
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        """Whether there is a row with the key. Safe in any thread."""
        return self._place(key) is not None

    def has_failed(self, key: str) -> bool:
        """Whether the row with the key is one that failed."""
        place = self._place(key)
        return place is not None and bool(self._failed[place])

    def row(self, key: str) -> T:
        """The row with the key. Raises KeyError; InvalidInputError where its file, or the row, is damaged."""
        place = self._place(key)
        if place is None:
            raise KeyError(key)
        self._taken[place] = True
        return self._at(place)

    def untaken(self) -> Iterator[T]:
        """The rows that `row` was not asked for, in the order of the files. Raises as `row` does."""
        counts = np.append(self._keys[1:] != self._keys[:-1], True)[: len(self)]  # the last one of each key
        places = np.flatnonzero(counts & ~self._taken)
        for place in places[np.lexsort((self._rows[places], self._groups[places], self._files[places]))]:
            yield self._at(int(place))

    def _at(self, place: int) -> T:
        records = self._records(int(self._files[place]), int(self._groups[place]))
        try:
            return self._kind.from_record(records[int(self._rows[place])])
        except (TypeError, ValueError) as error:  # of a table that somebody has changed
            path = self._paths[int(self._files[place])]
            raise InvalidInputError(f"{path}: has a row that cannot be ({error}); remove the file") from error

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
    """The keys of a file's rows, and where each is."""

    def __init__(self, *columns: Any) -> None:
        self.columns = columns

    @classmethod
    def nothing(cls) -> Self:
        return cls(np.empty(0, _KEY), *(np.empty(0, np.int32) for _ in range(3)), np.empty(0, bool))

    @classmethod
    def in_file(cls, path: Path, number: int, kind: RowKind[Any], failed: bool) -> Self:
        """Raises ArrowException, ValueError or OSError for a file that cannot be read to its end."""
        keys, groups, rows = [np.empty(0, _KEY)], [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        fates = [np.empty(0, bool)]
        with pq.ParquetFile(path) as file:
            kind.of_this_version(file.schema_arrow.empty_table())
            for group in range(file.num_row_groups):
                table = kind.of_this_version(file.read_row_group(group))  # all columns: damage is to be found now
                fate = np.array(kind.failed(table), bool)
                chosen = np.flatnonzero(~fate | failed).astype(np.int32)
                fates.append(fate[chosen])
                keys.append(np.array(table["key"].to_pylist(), _KEY)[chosen])
                rows.append(chosen)
                groups.append(np.full(len(chosen), group, np.int32))
        places = np.concatenate(groups)
        return cls(*map(np.concatenate, (keys, [np.full_like(places, number)], groups, rows, fates)))
