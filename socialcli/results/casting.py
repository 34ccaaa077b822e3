"""Tables of Arrow as other programs have written them again: wider types, other encodings, columns of their own."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of `schema` out of `table`, in its order and of its types; other columns are left out.

    Raises ValueError (of which Arrow's errors are) where values do not fit, and KeyError where a column is missing.
    """
    if table.schema.equals(schema):
        return table  # as socialcli wrote it: a cast would import what a finished run does without
    table = table.select(schema.names)
    for place, field in enumerate(schema):
        if _has_view(table.schema.field(place).type):  # Arrow's own cast of a list view loses its items, or fails
            values = pa.array(table.column(place).to_pylist(), type=field.type)
            table = table.set_column(place, field.name, values)
    return table.cast(schema)


def _has_view(kind: Any) -> bool:
    """Whether a type is, or holds, a list view."""
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return True
    return any(_has_view(kind.field(place).type) for place in range(kind.num_fields))
