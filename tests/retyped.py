"""Parquet files whose lists and texts are of other types of Arrow, as other programs write them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

OfList = Callable[[Any], Any]  # from an item's field or type to the type of a list

KINDS: tuple[tuple[OfList, Any], ...] = (
    (pa.list_, pa.large_string()),
    (pa.list_, pa.string_view()),
    (pa.large_list, pa.large_string()),
    (pa.large_list, pa.string_view()),
    (pa.list_view, pa.string()),
    (pa.list_view, pa.string_view()),
    (pa.large_list_view, pa.large_string()),
    (pa.large_list_view, pa.string_view()),
    (pa.list_, pa.dictionary(pa.int32(), pa.string())),
)
KIND_NAMES = [f"{of_list.__name__}-{text}" for of_list, text in KINDS]


def retyped(kind: Any, of_list: OfList, text: Any) -> Any:
    """A type with other types for the lists and the texts in it."""
    if pa.types.is_list(kind):
        return of_list(pa.field("item", retyped(kind.value_type, of_list, text)))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(retyped(field.type, of_list, text)) for field in kind])
    return text if pa.types.is_string(kind) else kind


def write_retyped(path: Path, table: pa.Table, of_list: OfList, text: Any) -> Path:
    """Write a table so that Arrow reads its lists and texts as of these types.

    pyarrow reads nested string views, and writes none: so the values are written as ordinary lists and texts, beside a
    schema of Arrow that declares the other types.
    """
    fields = [pa.field(field.name, retyped(field.type, of_list, text)) for field in table.schema]
    declared = base64.b64encode(pa.schema(fields).serialize().to_pybytes()).decode()
    with pq.ParquetWriter(path, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"ARROW:schema": declared})
        if table.schema.metadata:
            writer.add_key_value_metadata(dict(table.schema.metadata))
    return path
