"""Columns that a program adds by itself, and Arrow's other types for lists and texts, in episodes files."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.episodes.formats.arrow import EPISODE_ARROW_SCHEMA, added_columns, column_mismatches
from socialcli.episodes.question_count import count_questions
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode
from socialcli.errors import InvalidInputError

from ..retyped import KIND_NAMES, KINDS, OfList, retyped, write_retyped
from .samples import record, write_lines

PANDAS = {b"pandas": json.dumps({"index_columns": ["clip number"], "columns": []}).encode()}


@pytest.fixture(autouse=True)
def notes(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "socialcli")
    return caplog


def table(*names: str) -> pa.Table:
    return pa.Table.from_pylist([record(name) for name in names or ("a", "b")], schema=EPISODE_ARROW_SCHEMA)


def write_table(path: Path, found: pa.Table) -> Path:
    pq.write_table(found, path)
    return path


def episodes(path: Path) -> list[Episode | None]:
    rows = list(read_episodes(path))
    assert not any(row.problems for row in rows)
    return [row.episode for row in rows]


EXPECTED = [Episode.from_record(record(name)) for name in ("a", "b")]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("__index_level_0__", [4, 7]),
        ("__index_level_0__", ["é", "y"]),
        ("__index_level_12__", [0.5, None]),
        ("__null_dask_index__", [0, 1]),
        ("Unnamed: 0", [0, 1]),
        ("Unnamed: 0.1", ["", "x"]),
        ("index", [0, 1]),
        ("level_0", [0, 1]),
        ("row_nr", [0, 1]),
        ("...1", [1, 2]),
        ("", [0, 1]),
    ],
)
def test_a_column_that_a_writer_added_is_left_out(tmp_path: Path, notes: Any, name: str, values: list[Any]) -> None:
    parquet = write_table(tmp_path / "e.parquet", table().append_column(name, pa.array(values)))
    lines = [{name: value} | record(which) for which, value in zip("ab", values, strict=True) if value is not None]
    jsonl = write_lines(tmp_path / "e.jsonl", lines)
    assert episodes(parquet) == EXPECTED
    assert episodes(jsonl) == EXPECTED[: len(lines)]
    assert count_questions([parquet], {"target", "coref"}) == 4
    told = [one.getMessage() for one in notes.records]
    assert told == [f"{path}: ignored column that the writing program added: {name!r}" for path in (parquet, jsonl)]
    assert {one.levelno for one in notes.records} == {logging.INFO}


def test_a_file_is_noted_once_however_often_it_is_read(tmp_path: Path, notes: Any) -> None:
    path = write_lines(tmp_path / "e.jsonl", [record(name) | {"Unnamed: 0": 1, "index": 2} for name in "ab"])
    assert episodes(path) == episodes(path) == EXPECTED
    assert len(notes.records) == 1
    assert "ignored columns that the writing program added: 'Unnamed: 0', 'index'" in notes.text


def test_the_named_index_of_a_pandas_frame_is_known_from_its_metadata(tmp_path: Path) -> None:
    found = table().append_column("clip number", pa.array(["x", "y"]))
    assert episodes(write_table(tmp_path / "e.parquet", found.replace_schema_metadata(PANDAS))) == EXPECTED
    with pytest.raises(InvalidInputError, match="clip number is not a field of the format"):
        list(read_episodes(write_table(tmp_path / "other.parquet", found)))


@pytest.mark.parametrize(
    "metadata",
    [b"no JSON", b"[]", b"{}", b'{"index_columns": null}', b'{"index_columns": [{"kind": "range"}, "episode_id"]}'],
)
def test_metadata_that_name_no_column_of_their_own_change_nothing(tmp_path: Path, metadata: bytes) -> None:
    found = table().replace_schema_metadata({b"pandas": metadata})
    assert added_columns(found.schema) == []
    assert added_columns(found.schema) == []
    assert episodes(write_table(tmp_path / "e.parquet", found)) == EXPECTED


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("index", ["a", "b"]),
        ("index", [True, False]),
        ("row_nr", [0.5, 1.5]),
        ("level", [0, 1]),
        ("index_level_0", [0, 1]),
        ("Unnamed", [0, 1]),
        ("vdeo", [0, 1]),
    ],
)
def test_another_column_stays_unknown(tmp_path: Path, name: str, values: list[Any]) -> None:
    with pytest.raises(InvalidInputError, match=f"does not hold episodes: {name} is not a field of the format"):
        list(read_episodes(write_table(tmp_path / "e.parquet", table().append_column(name, pa.array(values)))))
    (row,) = read_episodes(write_lines(tmp_path / "e.jsonl", [record() | {name: values[0]}]))
    (problem,) = row.problems
    assert (problem.field.strip('"'), problem.message[:30]) == (name, "is not a field of the format; ")


def test_an_index_below_the_top_stays_unknown(tmp_path: Path) -> None:
    bad = record()
    bad["speakers"][0]["__index_level_0__"] = 1
    (row,) = read_episodes(write_lines(tmp_path / "e.jsonl", [bad]))
    assert [problem.field for problem in row.problems] == ["speakers[0].__index_level_0__"]


@pytest.mark.parametrize(("of_list", "text"), KINDS, ids=KIND_NAMES)
def test_every_list_and_text_of_arrow_is_read(tmp_path: Path, of_list: OfList, text: pa.DataType) -> None:
    names = [f"e{number}" for number in range(40)]  # more than are unpacked at once
    path = write_retyped(tmp_path / "e.parquet", table(*names), of_list, text)
    stored = pq.read_schema(path)
    assert type(stored.field("boxes").type) is type(of_list(pa.null()))
    assert stored.field("questions").type.value_type.field("candidates").type.value_type == text
    assert episodes(path) == [Episode.from_record(record(name)) for name in names]
    assert count_questions([path], {"target", "videoqa"}) == 80


def test_list_views_that_pyarrow_wrote_are_read(tmp_path: Path) -> None:
    fields = [pa.field(one.name, retyped(one.type, pa.list_view, pa.string())) for one in EPISODE_ARROW_SCHEMA]
    found = pa.Table.from_pylist([record(name) for name in ("a", "b")], schema=pa.schema(fields))
    assert column_mismatches(found.schema) == []
    assert episodes(write_table(tmp_path / "e.parquet", found)) == EXPECTED


def test_lists_of_one_length_and_dictionaries_are_read(tmp_path: Path) -> None:
    whole = record()
    whole["questions"] = [whole["questions"][3], {**whole["questions"][3], "id": "2"}]
    found = pa.Table.from_pylist([whole], schema=EPISODE_ARROW_SCHEMA)
    for name, length in (("questions", 2), ("boxes", 3)):
        kind = EPISODE_ARROW_SCHEMA.field(name).type.value_type
        place = found.schema.get_field_index(name)
        found = found.set_column(place, name, pa.array([whole[name]], pa.list_(kind, length)))
    for name in ("schema_version", "dataset", "split"):
        place = found.schema.get_field_index(name)
        found = found.set_column(place, name, found[name].dictionary_encode())
    assert episodes(write_table(tmp_path / "e.parquet", found)) == [Episode.from_record(whole)]


def test_a_view_of_something_else_is_still_named(tmp_path: Path) -> None:
    found = table()
    place = found.schema.get_field_index("speakers")
    found = found.set_column(place, "speakers", pa.array([["s1"], []], pa.list_view(pa.string())))
    with pytest.raises(InvalidInputError, match="speakers has type string, not struct"):
        list(read_episodes(write_table(tmp_path / "e.parquet", found)))
