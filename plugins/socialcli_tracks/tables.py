"""Read CSV files with a header, row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.labels import is_missing
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import parse_finite


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, with its stripped values by column, as the header's `Header` names them."""

    path: Path
    number: int  # of its line, from 1
    values: Mapping[str, str]
    columns: Mapping[str, str]  # their names in the file

    def text(self, column: str) -> str:
        """A required value. Raises SourceError."""
        value = self.values.get(column, "")
        if is_missing(value):
            what = f"is {value!r}, which means missing" if value else "is empty"
            raise self.error(column, f"{what}; fill it in, or remove the row")
        return value

    def decimal(self, column: str) -> float:
        """A required finite number. Raises SourceError."""
        try:
            return parse_finite(self.text(column))
        except ValueError:
            raise self.error(column, f"is {self.values[column]!r}, not a number; correct it") from None

    def error(self, column: str, message: str) -> SourceError:
        """The error of a value, at its place in the file."""
        return SourceError(self.path, self.number, self.columns.get(column, column), message)


Header = Callable[[Path, int, Sequence[str]], list[str]]
"""Names the columns of a header, given with its file and line, as rows use them; "": a column that no row uses."""


def needs(**columns: tuple[str, ...]) -> Header:
    """A header with required columns, each with its possible names; a row uses the keyword as the name.

    Other columns keep their names. Raises SourceError if a column is missing.
    """

    def named(path: Path, number: int, header: Sequence[str]) -> list[str]:
        names = [value.strip().casefold() for value in header]
        for column, known in columns.items():
            found = next((name for name in known if name in names), None)
            if found is None:
                listed = " or ".join(known)
                raise SourceError(path, number, None, f"has no column {listed}; its columns are {', '.join(names)}")
            names[names.index(found)] = column
        return names

    return named


def read_table(path: Path, text: str, header: Header, report: Report) -> Iterator[Row]:
    """The rows of a CSV file with a header and the content `text`; tabs and semicolons also separate values.

    Rows that cannot be used go to `report` as problems. Raises SourceError if the whole file cannot be used.
    """
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    written: dict[str, str] = {}
    try:
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if not columns:
                columns = _named(path, reader.line_num, values, header)
                written = dict(zip(columns, (value.strip() for value in values), strict=True))
            elif len(values) != len(columns):
                message = f"has {len(values)} values, but the header has {len(columns)}; correct the row"
                report.skip_or_raise(SourceError(path, reader.line_num, None, message))
            else:
                cells = {column: value.strip() for column, value in zip(columns, values, strict=True)}
                yield Row(path, reader.line_num, cells, written)
    except csv.Error as error:
        raise SourceError(path, reader.line_num, None, f"is not a row of a CSV file ({error}); correct it") from error
    if not columns:
        raise SourceError(path, 1, None, "has no header; begin with a line of column names")


def _named(path: Path, number: int, values: Sequence[str], header: Header) -> list[str]:
    columns = header(path, number, values)
    named = [column for column in columns if column]  # spreadsheets write empty columns
    if len(set(named)) < len(named):
        raise SourceError(path, number, None, "has two columns with the same name; rename one")
    return columns
