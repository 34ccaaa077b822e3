"""Tables as other programs or earlier versions wrote them: wider types, other encodings, more or fewer columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from socialcli.results.columns import arrow_schema, columns_of


def cast_to_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Cast `table` to the columns of `schema`, in its order and of its types; other columns are dropped.

    Raises ValueError (the base of Arrow's errors) for a value that does not fit, and KeyError for a missing column.
    """
    if table.schema.equals(schema):
        return table  # as socialcli wrote it: a cast would import modules that a finished run does without
    table = table.select(schema.names)
    for place, field in enumerate(schema):
        if _has_view(table.schema.field(place).type):  # Arrow's own cast of a list view loses its items, or fails
            values = pa.array(table.column(place).to_pylist(), type=field.type)
            table = table.set_column(place, field.name, values)
    return table.cast(schema)


def cast_to_rows(table: pa.Table, row: type) -> pa.Table:
    """Cast `table` to the columns of a `table_row`, whichever version or program wrote it.

    Columns that are `later` are null where missing, and other columns are dropped. Raises ValueError (the base of
    Arrow's errors) for another missing column, or a value that does not fit.
    """
    lacking = [one for one in columns_of(row) if one.name not in table.column_names]
    if missing := [one.name for one in lacking if not one.later]:
        raise ValueError(f"columns are missing: {', '.join(missing)}")
    schema = arrow_schema(row)
    for one in lacking:
        table = table.append_column(schema.field(one.name), pa.nulls(table.num_rows, one.type))
    return cast_to_schema(table, schema)


def _has_view(kind: Any) -> bool:
    """Whether a type is, or holds, a list view."""
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return True
    return any(_has_view(kind.field(place).type) for place in range(kind.num_fields))
