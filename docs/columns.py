"""The tables of columns on the pages, and the JSON Schemas of rows, made from the fields of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from socialcli.results.columns import Column, When, columns_of

_JSON_TYPES = {pa.string(): "string", pa.bool_(): "boolean", pa.float64(): "number", pa.int32(): "integer"}


def column_rows(row: type) -> list[tuple[str, str, str]]:
    """The cells of a page's table of columns: name (* if never null), type, meaning."""
    return [
        (f"`{one.name}`{'' if one.nullable else ' *'}", _type_name(one.type), one.meaning) for one in columns_of(row)
    ]


def row_schema(row: type, name: str, title: str, description: str) -> dict[str, Any]:
    """The JSON Schema of a row as `as_record` gives it."""
    columns = columns_of(row)
    conditions = list(_conditions(columns))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:socialcli:schema:{name}:1.0",
        "title": title,
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "required": [one.name for one in columns],
        "properties": {one.name: _property(one) for one in columns},
        **({"allOf": conditions} if conditions else {}),
    }


def _type_name(kind: pa.DataType) -> str:
    return f"list of {_type_name(kind.value_type)}" if pa.types.is_list(kind) else str(kind)


def _property(column: Column) -> dict[str, Any]:
    types = {} if "enum" in column.limits else _json_type(column.type, column.nullable)
    return {**types, **column.limits, "description": _sentence(column.meaning)}


def _json_type(kind: pa.DataType, nullable: bool) -> dict[str, Any]:
    listed = pa.types.is_list(kind)
    name = "array" if listed else _JSON_TYPES[kind]
    items = {"items": _json_type(kind.value_type, nullable=False)} if listed else {}
    return {"type": [name, "null"] if nullable else name, **items}


def _sentence(meaning: str) -> str:
    """The meaning as plain text; one that begins with a word, not with code, gets a capital letter."""
    plain = meaning.replace("`", "")
    return f"{plain if meaning.startswith('`') else plain[0].upper() + plain[1:]}."


def _conditions(columns: Iterable[Column]) -> Iterable[dict[str, Any]]:
    """For each condition, which columns have a value where it holds, and which are null where it does not."""
    found: dict[When, tuple[dict[str, Any], dict[str, Any]]] = {}
    for one in columns:
        when = one.exactly_if or one.only_if
        if when is None:
            continue
        value, null = found.setdefault(when, ({}, {}))
        null[one.name] = {"type": "null"}
        if one.exactly_if:
            value[one.name] = _json_type(one.type, nullable=False)
    for when, (value, null) in found.items():
        test: Mapping[str, Any] = {"not": {"type": "null"}} if when.equals is None else {"const": when.equals}
        yield {
            "if": {"properties": {when.column: test}},
            "then": {"properties": value},
            "else": {"properties": null},
        }
