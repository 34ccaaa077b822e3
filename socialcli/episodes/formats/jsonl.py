"""Episodes as JSON Lines: one JSON object per line, in UTF-8."""

from __future__ import annotations

import codecs
import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

from socialcli.episodes.checking.problems import FieldPath, Problem, field_path, shown

# A lone surrogate: a high one without a low one, a low one without a high one, or either after an escaped backslash,
# where the pattern cannot tell.
_LONE_SURROGATE = re.compile(
    rb"\\u[dD](?:[89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..\\u[dD])[c-fC-F])|\\\\u[dD]"
)

MOST_BYTES = 2**28
"""The longest line that is read: two hours with five people boxed in every frame fill a third of it."""

_SKIPPED_AT_ONCE = 2**20  # bytes


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One row of an episodes file: its JSON value, or the problem with it.

    `row` counts from 1; in JSONL it is the line number, counting blank lines.
    """

    row: int
    record: Any = None
    problem: Problem | None = None


def split_lines(file: BinaryIO | gzip.GzipFile) -> Iterator[bytes | None]:
    """The lines of an open file; None for a line longer than `MOST_BYTES`, which is never in memory as a whole.

    In a compressed file, a kilobyte can expand to a megabyte of such a line.
    """
    while line := file.readline(MOST_BYTES + 1):
        if len(line) <= MOST_BYTES or line.endswith(b"\n"):
            yield line
            continue
        while (rest := file.readline(_SKIPPED_AT_ONCE)) and not rest.endswith(b"\n"):
            pass
        yield None


def parse_lines(source: Iterable[bytes | None]) -> Iterator[RecordLine]:
    """The records on the lines of `source`; None is a line that is too long. Blank lines are skipped but counted."""
    for row, line in enumerate(source, start=1):
        if line is None:
            yield _bad(row, f"is longer than {MOST_BYTES} bytes; cut the episode into shorter clips")
        elif not line.isspace():
            yield _parse(row, line.removeprefix(codecs.BOM_UTF8) if row == 1 else line)


def _parse(row: int, line: bytes) -> RecordLine:
    try:
        record = _DECODER.decode(line.rstrip().decode("utf-8"))
    except UnicodeDecodeError as error:
        return _bad(row, f"is not UTF-8 at byte {error.start + 1}; save the file as UTF-8")
    except json.JSONDecodeError as error:
        problem = f"is not valid JSON at column {error.pos + 1} ({error.msg})"
        return _bad(row, f"{problem}; write one whole JSON object on the line")
    except RecursionError:
        return _bad(row, "is nested too deeply to be an episode; write one JSON object of the format on the line")
    except _Ambiguous as error:
        return _bad(row, str(error))
    except ValueError:  # Python refuses numbers with more digits than sys.get_int_max_str_digits()
        return _bad(row, "holds a number with thousands of digits; write one that fits a computer")
    if b"\\u" in line and _LONE_SURROGATE.search(line) and (path := _lone_surrogate(record)) is not None:
        return _bad(row, "holds half of a surrogate pair (\\ud800 to \\udfff); write the whole character", path)
    return RecordLine(row, record)


def _bad(row: int, message: str, path: FieldPath = ()) -> RecordLine:
    return RecordLine(row, problem=Problem(row, field_path(path), message))


class _Ambiguous(ValueError):
    """JSON that programs read differently. Its text is the problem's message."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for index, name in enumerate(names) if name in names[:index])
        raise _Ambiguous(f"has the key {shown(repeated)} twice in one object; keep one")
    return found


def _constant(name: str) -> NoReturn:
    raise _Ambiguous(f"holds {name}, which JSON has no number for; write a number, or null where it may be left out")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _lone_surrogate(record: Any) -> FieldPath | None:
    """The path of a string in `record` with a lone surrogate; for a key, the path of its object."""
    left: list[tuple[FieldPath, Any]] = [((), record)]  # a stack, since values may exceed the recursion limit
    while left:
        path, value = left.pop()
        if isinstance(value, str) and not _writable(value):
            return path
        if isinstance(value, dict):
            if not all(map(_writable, value)):
                return path
            left.extend(((*path, name), item) for name, item in value.items())
        elif isinstance(value, list):
            left.extend(((*path, index), item) for index, item in enumerate(value))
    return None


def _writable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
