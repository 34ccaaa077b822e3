"""Write episodes files as a stream, whole or not at all."""

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
from socialcli.errors import AnnotationError, InvalidInputError, NotThereError
from socialcli.files import atomic_write


class _Sink(Protocol):
    def write(self, record: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class EpisodeWriter:
    """Writes episodes into a `.parquet`, `.jsonl` or `.jsonl.gz` file, one after the other.

    A context manager. The file appears when the block ends, complete and flushed to the disk, in place of one
    of the same name; when the block raises, nothing is left. Every file that it leaves is one that `socialcli
    validate` accepts, and the same episodes make the same bytes. Raises, on entering, InvalidInputError for
    another kind of file and NotThereError where there is no such folder.
    """

    def __init__(self, path: Path) -> None:
        """Prepare to write `path`; nothing is touched before the block is entered."""
        self._path = path
        self._seen = Seen()
        self._rows = 0

    def __enter__(self) -> Self:
        """Open a file of another name in the same folder."""
        suffix = file_suffix(self._path)
        if self._path.is_dir():
            raise InvalidInputError(f"{self._path}: is a folder; name the file to write")
        if not self._path.parent.is_dir():
            raise NotThereError(f"{self._path.parent}: there is no such folder to write into")
        with ExitStack() as stack:
            file = stack.enter_context(atomic_write(self._path))
            self._sink = stack.enter_context(closing(_sink(file, suffix)))
            self._cleanup = stack.pop_all()
        return self

    def write(self, episode: Episode | Mapping[str, Any]) -> None:
        """Add an episode, or a record of the same form. Raises AnnotationError where it breaks the format."""
        record = episode.to_record() if isinstance(episode, Episode) else dict(episode)
        problems = check(record, self._rows + 1, self._seen)
        if problems:
            raise AnnotationError(problems[0].located(self._path.name))
        self._sink.write(Episode.from_record(record).to_record())  # one spelling: no nulls, 640 and not 640.0
        self._rows += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the finished file in its place, or remove it when the block raised."""
        self._cleanup.__exit__(kind, error, trace)


class _JsonSink:
    """Writes a record on each line; closing it leaves the file below it open."""

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
        from socialcli.episodes.formats.parquet import ParquetSink  # pyarrow, which JSONL does without

        return ParquetSink(file)
    if suffix == ".jsonl.gz":
        return _JsonSink(gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0))  # no name, no time: same bytes
    return _JsonSink(file)
