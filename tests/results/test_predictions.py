from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.errors import InvalidInputError, NotFoundError
from socialcli.results.columns import as_record, columns_of
from socialcli.results.predictions import (
    ALIGNED,
    PREDICTION_ARROW_SCHEMA,
    PREDICTIONS,
    ROWS_PER_GROUP,
    STRENGTH,
    Prediction,
    read_predictions,
)
from socialcli.results.tables import TableWriter

from .folders import leave, of_earlier_version
from .samples import disk_of, failed, plain, prediction, validator

ROWS = {
    "aligned": prediction(),
    "plain": plain(),
    "failed": failed(),
    "failed and unlabelled": failed(answer=None),
    "unparsed": prediction(status="unparsed", prediction=None, scores=None, raw_text="A or B"),
    "unlabelled": prediction(answer=None),
}


def _json_kind(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"array of {_json_kind(kind.value_type)}"
    names = {pa.string(): "string", pa.float64(): "number", pa.int32(): "integer", pa.bool_(): "boolean"}
    return names[kind]


def _schema_kind(definition: dict[str, Any]) -> tuple[str, bool]:
    """The one type a JSON definition allows, and whether null is allowed too."""
    if "enum" in definition:
        assert all(isinstance(value, str) for value in definition["enum"])
        return "string", False
    kinds = definition["type"] if isinstance(definition["type"], list) else [definition["type"]]
    (kind,) = [kind for kind in kinds if kind != "null"]
    return f"array of {definition['items']['type']}" if kind == "array" else kind, "null" in kinds


def test_the_json_schema_says_what_the_arrow_schema_says() -> None:
    schema = validator("prediction").schema
    arrow = {field.name: (_json_kind(field.type), field.nullable) for field in PREDICTION_ARROW_SCHEMA}
    assert {name: _schema_kind(definition) for name, definition in schema["properties"].items()} == arrow
    assert list(schema["properties"]) == schema["required"] == PREDICTION_ARROW_SCHEMA.names


@pytest.mark.parametrize("name", ROWS)
def test_a_row_passes_the_schema_and_survives_the_file(name: str, tmp_path: Path) -> None:
    record = as_record(ROWS[name])
    validator("prediction").validate(json.loads(json.dumps(record, allow_nan=False)))
    with TableWriter(tmp_path / "predictions.parquet", PREDICTIONS) as writer:
        writer.write(ROWS[name])
    assert list(read_predictions(tmp_path / "predictions.parquet")) == [record]


@pytest.mark.parametrize(
    "changes",
    [
        {"prediction": None},
        {"status": "failed", "prediction": None},
        {"error": "VideoError: gone"},
        {"alignment": False},
        {"bias": None},
        {"scores": (0.0,)},
        {"candidates": None},
        {"scores": (float("-inf"), 0.0)},
    ],
)
def test_a_row_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="q1"):
        prediction(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"prediction": None},
        {"error": "x"},
        {"bias": None},
        {"correct": None},
        {"status": "fine"},
        {"extra": 1},
    ],
)
def test_the_json_schema_refuses_contradictions_too(changes: dict[str, Any]) -> None:
    assert not validator("prediction").is_valid(as_record(prediction()) | changes)


def test_correct_follows_from_prediction_and_answer() -> None:
    assert prediction(prediction="ann", answer="ann").correct is True
    assert prediction(prediction="bob", answer="ann").correct is False
    assert prediction(answer=None).correct is None
    assert failed(answer="ann").correct is False
    assert failed(answer=None).correct is None


def test_rows_stay_in_order_over_many_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    names = [f"q{number}" for number in range(2 * ROWS_PER_GROUP + 3)]
    with TableWriter(path, PREDICTIONS) as writer:
        for name in names:
            writer.write(prediction(question_id=name))
    assert [row["question_id"] for row in read_predictions(path)] == names
    assert pq.ParquetFile(path).num_row_groups == 3
    assert pq.read_schema(path).equals(PREDICTION_ARROW_SCHEMA)


def test_nothing_stands_under_the_name_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    with TableWriter(path, PREDICTIONS) as writer:
        writer.write(prediction())
        assert not path.exists()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("done", [0, 1, ROWS_PER_GROUP, ROWS_PER_GROUP + 1])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException], done: int) -> None:
    """The rows before it are in the parts."""
    path = tmp_path / "predictions.parquet"
    path.write_bytes(b"of an earlier run")
    with pytest.raises(error), TableWriter(path, PREDICTIONS) as writer:
        for number in range(done):
            writer.write(prediction(question_id=f"q{number}"))
        raise error
    assert path.read_bytes() == b"of an earlier run"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("rows", [3, 5 * ROWS_PER_GROUP])
def test_a_full_disk_is_an_error_and_leaves_no_half_file(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "predictions.parquet"
    path.write_bytes(b"of an earlier run")
    with (
        disk_of(6000),
        pytest.raises(OSError, match=r"predictions\.parquet"),
        TableWriter(path, PREDICTIONS) as writer,
    ):
        for _ in range(rows):
            writer.write(prediction(question_id=os.urandom(2000).hex()))
    assert path.read_bytes() == b"of an earlier run"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupt_comes_when_a_group_of_rows_is_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "predictions.parquet"
    path.write_bytes(b"of an earlier run")
    write_table = pq.ParquetWriter.write_table
    whole = []

    def interrupted(writer: pq.ParquetWriter, table: pa.Table) -> None:
        signal.raise_signal(signal.SIGINT)
        write_table(writer, table)
        whole.append(len(table))

    monkeypatch.setattr(pq.ParquetWriter, "write_table", interrupted)
    with pytest.raises(KeyboardInterrupt), TableWriter(path, PREDICTIONS) as writer:
        for number in range(ROWS_PER_GROUP + 5):
            writer.write(prediction(question_id=f"q{number}"))
    assert whole == [ROWS_PER_GROUP]
    assert path.read_bytes() == b"of an earlier run" and list(tmp_path.iterdir()) == [path]


def test_half_a_surrogate_pair_does_not_stop_the_run(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    with TableWriter(path, PREDICTIONS) as writer:
        writer.write(prediction(candidates=("ann", "b\ud800b"), raw_text="é🎬\udc80"))
    (row,) = read_predictions(path)
    assert row["candidates"] == ["ann", "b\\ud800b"]
    assert row["raw_text"] == "é🎬\\udc80"


def test_a_file_that_another_tool_wrote_again_is_read(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    table = pa.Table.from_pylist([as_record(prediction())])
    large = pa.schema(
        [field.with_type(pa.large_string()) if field.type == pa.string() else field for field in table.schema]
    )
    pq.write_table(table.cast(large).append_column("note", pa.array(["mine"])), path)
    assert list(read_predictions(path)) == [as_record(prediction())]


def test_rows_of_an_earlier_version_are_the_method_s(tmp_path: Path) -> None:
    before = {"active_head_count": None, "negative_bias": None, "utterances": None, "covered_utterances": None}
    rows = [prediction(**before), prediction(heads="0" * 16, **before), plain(**before), failed()]
    found = list(read_predictions(of_earlier_version(leave(tmp_path, rows)) / "predictions.parquet"))
    assert found == [as_record(row) for row in rows]
    said = [(row["heads_by"], row["steer"], row["regions"]) for row in found]
    method = ("speaker", "boxes")
    assert said == [("dynamic", *method), ("fixed", *method), (None, None, None), (None, None, None)]


def test_every_column_of_aligned_rows_says_how_they_were_aligned_or_what_that_did() -> None:
    aligned = {one.attribute for one in columns_of(Prediction) if ALIGNED in (one.exactly_if, one.only_if)}
    assert aligned == {*STRENGTH, "active_heads", "active_head_count", "negative_bias"}


def test_a_missing_file_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"predictions\.parquet"):
        next(read_predictions(tmp_path / "predictions.parquet"))


@pytest.mark.parametrize("content", [b"", b"{}\n", b"PAR1 and then nothing PAR1"])
def test_a_file_of_another_kind_is_invalid(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "predictions.parquet"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"predictions\.parquet"):
        next(read_predictions(path))


def test_another_table_is_invalid_and_the_missing_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "accuracy.parquet"
    pq.write_table(pa.Table.from_pylist([as_record(prediction())]).drop_columns(["scores", "key"]), path)
    with pytest.raises(InvalidInputError, match="missing: scores, key"):
        next(read_predictions(path))


def test_columns_of_the_wrong_type_are_invalid(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    pq.write_table(pa.Table.from_pylist([as_record(prediction()) | {"scores": "high"}]), path)
    with pytest.raises(InvalidInputError, match="cannot be read as predictions"):
        next(read_predictions(path))
