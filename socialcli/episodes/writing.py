"""Write episodes files as a stream, atomically."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from socialcli.episodes.checking.record import Seen, check
from socialcli.episodes.formats.kinds import file_suffix
from socialcli.episodes.records import Episode
from socialcli.errors import AnnotationError, InvalidInputError, NotFoundError
from socialcli.files import atomic_write


class _Sink(Protocol):
    def write(self, record: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class EpisodeWriter:
    """Writes episodes to a `.parquet`, `.jsonl` or `.jsonl.gz` file, one by one.

    A context manager. When the block ends, the complete file is flushed to disk and replaces any file of the same name;
    if the block raises, nothing is written. `socialcli validate` accepts every file that it writes, and the same
    episodes give the same bytes. Entering raises InvalidInputError for another kind of file and NotFoundError if the
    folder is missing.
    """

    def __init__(self, path: Path) -> None:
        """Prepare to write `path`; nothing is touched before the block is entered."""
        self._path = path
        self._seen = Seen()
        self._rows = 0

    def __enter__(self) -> Self:
        """Open a temporary file in the same folder."""
        suffix = file_suffix(self._path)
        if self._path.is_dir():
            raise InvalidInputError(f"{self._path}: is a folder; name the file to write")
        if not self._path.parent.is_dir():
            raise NotFoundError(f"{self._path.parent}: there is no such folder to write into")
        with ExitStack() as stack:
            file = stack.enter_context(atomic_write(self._path))
            self._sink = stack.enter_context(closing(_sink(file, suffix)))
            self._cleanup = stack.pop_all()
        return self

    def write(self, episode: Episode | Mapping[str, Any]) -> None:
        """Add an episode, or a record of one. Raises AnnotationError if it violates the format."""
        record = episode.to_record() if isinstance(episode, Episode) else dict(episode)
        problems = check(record, self._rows + 1, self._seen)
        if problems:
            raise AnnotationError(problems[0].located(self._path.name))
        self._sink.write(Episode.from_record(record).to_record())  # normalized: no nulls, 640 instead of 640.0
        self._rows += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Rename the finished file to its final name, or remove it if the block raised."""
        self._cleanup.__exit__(kind, error, trace)


class _JsonSink:
    """Writes one record per line; closing it leaves the underlying file open."""

    def __init__(self, target: BinaryIO | gzip.GzipFile) -> None:
        self._target = target

    def write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        self._target.write(line.encode() + b"\n")

    def close(self) -> None:
        if isinstance(self._target, gzip.GzipFile):
            self._target.close()


def _sink(file: BinaryIO, suffix: str) -> _Sink:
    if suffix == ".parquet":
        from socialcli.episodes.formats.parquet import ParquetSink  # imports pyarrow, which JSONL does not need

        return ParquetSink(file)
    if suffix == ".jsonl.gz":
        # No name and no time, so that equal episodes give equal bytes.
        return _JsonSink(gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0))
    return _JsonSink(file)
