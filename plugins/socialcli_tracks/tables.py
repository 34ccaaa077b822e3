"""Read CSV files with a header, row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from socialcli.converting.labels import is_missing
from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import parse_finite


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, with its stripped values by column."""

    path: Path
    number: int  # of its line, from 1
    values: Mapping[str, str]

    def text(self, column: str) -> str:
        """A required value. Raises SourceError."""
        value = self.values.get(column, "")
        if is_missing(value):
            what = f"is {value!r}, which means missing" if value else "is empty"
            raise SourceError(self.path, self.number, column, f"{what}; fill it in, or remove the row")
        return value

    def decimal(self, column: str) -> float:
        """A required finite number. Raises SourceError."""
        try:
            return parse_finite(self.text(column))
        except ValueError:
            raise SourceError(
                self.path, self.number, column, f"is {self.values[column]!r}, not a number; correct it"
            ) from None


def read_table(path: Path, text: str, needed: Mapping[str, tuple[str, ...]], report: Report) -> Iterator[Row]:
    """The rows of a CSV file with a header and the content `text`; tabs and semicolons also separate values.

    `needed`: required columns, each with its possible names in the header; a row uses the key as the name. Rows that
    cannot be used go to `report` as problems. Raises SourceError if the whole file cannot be used.
    """
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: list[str] = []
    try:
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if not columns:
                columns = _header(path, reader.line_num, values, needed)
            elif len(values) != len(columns):
                message = f"has {len(values)} values, but the header has {len(columns)}; correct the row"
                report.skip_or_raise(SourceError(path, reader.line_num, None, message))
            else:
                cells = {column: value.strip() for column, value in zip(columns, values, strict=True)}
                yield Row(path, reader.line_num, cells)
    except csv.Error as error:
        raise SourceError(path, reader.line_num, None, f"is not a row of a CSV file ({error}); correct it") from error
    if not columns:
        raise SourceError(path, 1, None, f"has no header; begin with a line such as {','.join(needed)}")


def _header(path: Path, number: int, values: list[str], needed: Mapping[str, tuple[str, ...]]) -> list[str]:
    columns = [value.strip().casefold() for value in values]
    for column, names in needed.items():
        found = next((name for name in names if name in columns), None)
        if found is None:
            listed = " or ".join(names)
            raise SourceError(path, number, None, f"has no column {listed}; its columns are {', '.join(columns)}")
        columns[columns.index(found)] = column
    named = [column for column in columns if column]  # spreadsheets write empty columns
    if len(set(named)) < len(named):
        raise SourceError(path, number, None, "has two columns with the same name; rename one")
    return columns
