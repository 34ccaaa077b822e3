"""Columns declared on the fields of a dataclass: the one source of a table's Arrow schema, JSON Schema and docs.

    @table_row
    class Flip:
        question_id: str = column("the question's id")
        split: str | None = column("the episode's split")

A field's annotation gives the column's type and whether it may be null. A field `lambda_` is the column `lambda`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

import pyarrow as pa

T = TypeVar("T")

_ROWS: dict[type, tuple[Column, ...]] = {}
_READERS: dict[type, dict[str, Callable[[Any], Any]]] = {}  # what reads the value of each column
_KEY = "column"  # of a field's metadata
_TYPES: Mapping[object, pa.DataType] = {str: pa.string(), bool: pa.bool_(), int: pa.int32(), float: pa.float64()}


@dataclass(frozen=True, slots=True)
class When:
    """The rows in which a column has a value."""

    column: str
    equals: object = None  # None: any value but null

    def __str__(self) -> str:
        """The condition in words."""
        return f"there is a value of {self.column}" if self.equals is None else f"{self.column} is {self.equals}"

    def holds(self, row: Any) -> bool:
        """Whether it holds for a row."""
        value = getattr(row, self.column)
        return value is not None if self.equals is None else bool(value == self.equals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table."""

    name: str
    meaning: str  # Markdown, without a full stop
    type: pa.DataType
    nullable: bool
    attribute: str  # where a row has the value: the field's name, or `under.alpha` where the row holds another row
    derived: bool  # computed by the row itself, not passed to it
    later: bool  # null in files of earlier versions, which lack the column
    limits: Mapping[str, Any]  # JSON Schema keywords beside the type
    exactly_if: When | None  # these rows have a value, the others are null
    only_if: When | None  # the other rows are null

    def value(self, row: Any) -> Any:
        """What a row has in the column."""
        return attrgetter(self.attribute)(row)


@dataclass(frozen=True, slots=True)
class _Declared:
    """What `column` keeps in a field's metadata."""

    meaning: str
    kind: pa.DataType | None
    later: bool
    exactly_if: When | None
    only_if: When | None
    limits: Mapping[str, Any]


def column(
    meaning: str,
    kind: pa.DataType | None = None,
    *,
    default: Any = MISSING,
    init: bool = True,
    later: bool = False,
    exactly_if: When | None = None,
    only_if: When | None = None,
    **limits: Any,
) -> Any:
    """Declare a field of a `table_row` as a column.

    `kind` replaces the Arrow type that follows from the annotation; `limits` are JSON Schema keywords such as
    `minimum`. See `Column` for the others.
    """
    declared = _Declared(meaning, kind, later, exactly_if, only_if, limits)
    return field(default=default, init=init, metadata={_KEY: declared})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(column,))
def table_row(kind: type[T]) -> type[T]:
    """Make a class whose fields are columns, or other `table_row`s, a frozen dataclass with keyword arguments.

    Raises TypeError for an annotation that has no Arrow type.
    """
    made = dataclass(frozen=True, slots=True, kw_only=True)(kind)
    _ROWS[made] = columns = tuple(_columns(made))
    _READERS[made] = {one.name: attrgetter(one.attribute) for one in columns}
    return made


def columns_of(row: type) -> tuple[Column, ...]:
    """The columns of a `table_row`, in order; a field that is a row itself stands for the columns of that row."""
    return _ROWS[row]


def _columns(row: type) -> Iterator[Column]:
    hints = get_type_hints(row)
    for item in dataclasses.fields(row):
        declared = item.metadata.get(_KEY)
        if declared is None:
            for inner in columns_of(hints[item.name]):
                yield dataclasses.replace(inner, attribute=f"{item.name}.{inner.attribute}")
            continue
        value, nullable = _without_null(hints[item.name])
        choices = {"enum": list(get_args(value))} if get_origin(value) is Literal else {}
        yield Column(
            name=item.name.rstrip("_"),
            meaning=declared.meaning,
            type=_arrow_type(value) if declared.kind is None else declared.kind,
            nullable=nullable,
            attribute=item.name,
            derived=not item.init,
            later=declared.later,
            limits={**choices, **declared.limits},
            exactly_if=declared.exactly_if,
            only_if=declared.only_if,
        )


def _without_null(hint: Any) -> tuple[Any, bool]:
    """The type of a value that is not null, and whether it may be null."""
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    value, *_ = (part for part in get_args(hint) if part is not NoneType)
    return value, True


def _arrow_type(value: Any) -> pa.DataType:
    if get_origin(value) is tuple:
        return pa.list_(_arrow_type(get_args(value)[0]))
    if get_origin(value) is Literal:
        return pa.string()
    if value not in _TYPES:
        raise TypeError(f"a column cannot hold {value}")
    return _TYPES[value]


def arrow_schema(row: type) -> pa.Schema:
    """The Arrow schema of a table of such rows."""
    return pa.schema([pa.field(one.name, one.type, nullable=one.nullable) for one in columns_of(row)])


def as_record(row: Any) -> dict[str, Any]:
    """The row as JSON values under the names of its columns, in their order."""
    return {name: storable(value(row)) for name, value in _READERS[type(row)].items()}


def from_record(row: type[T], record: Mapping[str, Any]) -> T:
    """The row that `as_record` made a record of. Raises TypeError or ValueError where it is none."""
    fields = {one.name: one.attribute for one in columns_of(row)}
    derived = {one.name for one in columns_of(row) if one.derived}
    return row(
        **{
            fields.get(name, name): tuple(value) if isinstance(value, list) else value
            for name, value in record.items()
            if name not in derived
        }
    )


def check_values(row: Any, name: str) -> None:
    """Raise ValueError, which begins with the row's `name`, where an `exactly_if` does not hold."""
    for one in columns_of(type(row)):
        if one.exactly_if is not None and one.exactly_if.holds(row) != (one.value(row) is not None):
            raise ValueError(f"{name}: {one.name} has a value if, and only if, {one.exactly_if}")


def storable(value: Any) -> Any:
    """Turn tuples into lists, and half a surrogate pair into its escape, `\\ud800`.

    JSON input can hold such a half, and a file's name too; Parquet cannot.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, tuple):
        return [storable(item) for item in value]
    return value
