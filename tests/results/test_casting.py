"""Tables of socialcli as other programs write them again: every command reads them as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.errors import InvalidInputError
from socialcli.results.casting import cast_to_schema
from socialcli.results.columns import as_record
from socialcli.results.earlier import EarlierRows
from socialcli.results.heads import read_heads
from socialcli.results.predictions import PREDICTIONS, read_predictions
from socialcli.stats.accuracy import ACCURACY_ARROW_SCHEMA, accuracy_table, read_accuracy, write_accuracy

from ..retyped import KIND_NAMES, KINDS, OfList, write_retyped
from .folders import leave
from .samples import failed, prediction
from .test_heads import written

ROWS = [
    prediction(frame_times=(0.0, 0.5, 1.0)),
    prediction(question_id="q2", key="1" * 32, candidates=("é", "茶"), prediction="茶", prediction_index=1),
    failed(key="2" * 32),
]


def with_index(table: pa.Table) -> pa.Table:
    return table.append_column("__index_level_0__", pa.array(range(table.num_rows)))


@pytest.mark.parametrize(("of_list", "text"), KINDS, ids=KIND_NAMES)
def test_predictions_of_every_type_are_read(tmp_path: Path, of_list: OfList, text: Any) -> None:
    found = with_index(pq.read_table(leave(tmp_path, ROWS) / "predictions.parquet"))
    path = write_retyped(tmp_path / "again.parquet", found, of_list, text)
    assert list(read_predictions(path)) == [as_record(row) for row in ROWS]
    kept = EarlierRows.read([path], PREDICTIONS)
    assert [kept.row(row.key) for row in ROWS] == ROWS


@pytest.mark.parametrize(("of_list", "text"), KINDS, ids=KIND_NAMES)
def test_an_accuracy_table_of_every_type_is_read(tmp_path: Path, of_list: OfList, text: Any) -> None:
    rows = accuracy_table(map(as_record, ROWS))
    write_accuracy(tmp_path / "accuracy.parquet", rows)
    found = with_index(pq.read_table(tmp_path / "accuracy.parquet"))
    assert read_accuracy(write_retyped(tmp_path / "again.parquet", found, of_list, text)) == rows


def test_an_accuracy_table_without_its_columns_is_named(tmp_path: Path) -> None:
    pq.write_table(ACCURACY_ARROW_SCHEMA.empty_table().drop_columns(["n"]), tmp_path / "a.parquet")
    with pytest.raises(InvalidInputError, match=r"a\.parquet: cannot be read as an accuracy table"):
        read_accuracy(tmp_path / "a.parquet")


def test_heads_with_an_index_and_wider_numbers_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "heads.parquet")
    expected, found = read_heads(path), pq.read_table(path)
    wide = [field.with_type(pa.int64()) if pa.types.is_integer(field.type) else field for field in found.schema]
    pq.write_table(with_index(found.cast(pa.schema(wide, found.schema.metadata))), path)
    assert read_heads(path) == expected


@pytest.mark.parametrize(
    "kind", [pa.list_view(pa.string()), pa.large_list_view(pa.string_view()), pa.list_(pa.string(), 2)], ids=str
)
def test_lists_keep_their_items_in_memory_too(kind: pa.DataType) -> None:
    """Arrow's own cast empties a large list view of a whole table, and refuses a list view."""
    values = [["a", "é"], None, ["茶", "b"]]
    found = pa.table({"more": [1, 2, 3], "names": pa.array(values, kind)})
    schema = pa.schema([pa.field("names", pa.list_(pa.string()))])
    assert cast_to_schema(found, schema).to_pydict() == {"names": values}
    assert cast_to_schema(found.slice(1), schema).to_pydict() == {"names": values[1:]}


def test_a_list_view_of_other_values_does_not_fit() -> None:
    found = pa.table({"scores": pa.array([["x"]], pa.list_view(pa.string()))})
    with pytest.raises((ValueError, TypeError)):
        cast_to_schema(found, pa.schema([pa.field("scores", pa.list_(pa.float64()))]))


def test_a_row_that_contradicts_itself_is_reported_with_its_file(tmp_path: Path) -> None:
    """As a script leaves it that blanks a prediction and knows nothing of its place."""
    path = leave(tmp_path, ROWS) / "predictions.parquet"
    table = pq.read_table(path)
    rows = [
        {**row, "prediction": None, "status": "failed", "error": "E: slow", "scores": None} for row in table.to_pylist()
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    kept = EarlierRows.read([path], PREDICTIONS)
    with pytest.raises(InvalidInputError, match=r"predictions\.parquet: has an invalid row .*prediction_index"):
        kept.row("1" * 32)
