"""The Parquet columns of an episodes file. Importing this imports pyarrow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from socialcli.episodes.formats.index_columns import is_added


def _struct(*fields: tuple[str, pa.DataType], optional: Sequence[tuple[str, pa.DataType]] = ()) -> pa.DataType:
    required = [pa.field(name, kind, nullable=False) for name, kind in fields]
    return pa.struct([*required, *(pa.field(name, kind) for name, kind in optional)])


def _list(item: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", item, nullable=False))


_VIDEO = _struct(
    ("path", pa.string()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    optional=[("start", pa.float64()), ("end", pa.float64()), ("fps", pa.float64())],
)
_SPEAKER = _struct(("id", pa.string()), optional=[("name", pa.string())])
_UTTERANCE = _struct(
    ("id", pa.string()),
    ("start", pa.float64()),
    ("end", pa.float64()),
    ("text", pa.string()),
    optional=[("speaker", pa.string())],
)
_BOX = _struct(("speaker", pa.string()), *((name, pa.float64()) for name in ("time", "x0", "y0", "x1", "y1")))
_QUESTION = _struct(
    ("id", pa.string()),
    ("task", pa.string()),
    optional=[
        ("utterance", pa.string()),
        ("span", _list(pa.int32())),
        ("text", pa.string()),
        ("candidates", _list(pa.string())),
        ("answer", pa.string()),
        ("answer_index", pa.int32()),
    ],
)

EPISODE_ARROW_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("schema_version", pa.string(), nullable=False),
        pa.field("episode_id", pa.string(), nullable=False),
        pa.field("dataset", pa.string()),
        pa.field("split", pa.string()),
        pa.field("video", _VIDEO, nullable=False),
        pa.field("speakers", _list(_SPEAKER), nullable=False),
        pa.field("utterances", _list(_UTTERANCE), nullable=False),
        pa.field("boxes", _list(_BOX), nullable=False),
        pa.field("questions", _list(_QUESTION), nullable=False),
    ]
)
"""The equivalent of `schemas/episode.schema.json`; a number there is a float64 here, an integer an int32."""


def column_mismatches(schema: pa.Schema) -> list[str]:
    """Why a Parquet file with the columns of `schema` cannot hold episodes; empty if it can.

    Other programs write these columns with other widths, encodings and nullability. Everything that reads as the same
    JSON values is accepted, and so are the columns of `added_columns`.
    """
    added = added_columns(schema)
    return list(_mismatches(EPISODE_ARROW_SCHEMA, (field for field in schema if field.name not in added), ""))


def added_columns(schema: pa.Schema) -> list[str]:
    """The columns that the writing program added on its own, such as the index of a pandas frame."""
    index = _pandas_index(schema)
    return [
        field.name
        for field in schema
        if field.name not in EPISODE_ARROW_SCHEMA.names
        and (field.name in index or is_added(field.name, pa.types.is_integer(field.type)))
    ]


def _pandas_index(schema: pa.Schema) -> frozenset[str]:
    """The index columns of a pandas frame, from the file's metadata; they can have any name."""
    try:
        columns = json.loads((schema.metadata or {})[b"pandas"])["index_columns"]
        return frozenset(name for name in columns if isinstance(name, str))  # a range index is an object, not a column
    except (KeyError, TypeError, ValueError):
        return frozenset()


def _mismatches(expected: Iterable[Any], found: Iterable[Any], path: str) -> Iterator[str]:
    """The mismatches between the fields of two schemas or struct types."""
    wanted = {field.name: field for field in expected}
    there = {field.name: field for field in found}
    for name, field in wanted.items():
        if name in there:
            yield from _type_mismatches(field.type, there[name].type, f"{path}{name}")
        elif not field.nullable:
            yield f"{path}{name} is missing"
    for name in sorted(there.keys() - wanted.keys()):
        yield f"{path}{name} is not a field of the format"


def _type_mismatches(expected: Any, found: Any, path: str) -> Iterator[str]:
    kinds = _kind(expected), _kind(found)
    if kinds == ("struct", "struct"):
        yield from _mismatches(expected, found, f"{path}.")
    elif kinds == ("list", "list"):
        yield from _type_mismatches(expected.value_type, found.value_type, path)
    elif kinds[0] != kinds[1] and kinds[1] != "null":
        yield f"{path} has type {found}, not {kinds[0]}"


def _kind(kind: Any) -> str:
    """The kind of JSON value that a type reads as; all numbers are one kind, since 3.0 is an integer in JSON."""
    if pa.types.is_dictionary(kind):
        return _kind(kind.value_type)
    families = {
        "string": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        "number": (pa.types.is_integer, pa.types.is_floating),
        "list": (
            *(pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list),
            *(pa.types.is_list_view, pa.types.is_large_list_view),
        ),
        "struct": (pa.types.is_struct,),
        "null": (pa.types.is_null,),
    }
    return next((name for name, tests in families.items() if any(test(kind) for test in tests)), str(kind))
