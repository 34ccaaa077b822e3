"""Small files that stand for large ones, and files that hold less than they say."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.episodes.formats import jsonl, parquet
from socialcli.episodes.formats.arrow import EPISODE_ARROW_SCHEMA
from socialcli.episodes.reading import read_checked, read_records
from socialcli.episodes.writing import EpisodeWriter
from socialcli.errors import InvalidInputError

from .samples import record, write_lines

MIB = 2**20


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz"])
@pytest.mark.parametrize("long", ["0" * 5000, '"' + "a" * 5000, " " * 5000, "\u00e9" * 2500])
def test_a_line_that_is_too_long_costs_its_own_row(
    tmp_path: Path, name: str, long: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jsonl, "MOST_BYTES", 4000)
    monkeypatch.setattr(jsonl, "_SKIPPED_AT_ONCE", 600)
    path = write_lines(tmp_path / "e.jsonl", [record("a"), long, record("b"), long])
    if name.endswith(".gz"):
        path = tmp_path / name
        path.write_bytes(gzip.compress((tmp_path / "e.jsonl").read_bytes()))
    found = [(line.row, [problem.message for problem in problems]) for line, problems in read_checked(path)]
    too_long = ["is longer than 4000 bytes; cut the episode into shorter clips"]
    assert found == [(1, []), (2, too_long), (3, []), (4, too_long)]


def test_a_line_of_the_most_bytes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_lines(tmp_path / "e.jsonl", [record("a"), record("b")])
    first = path.read_bytes().index(b"\n")
    for most, read in ((first, True), (first - 1, False)):
        monkeypatch.setattr(jsonl, "MOST_BYTES", most)
        assert next(read_records(path)).problem is None if read else next(read_records(path)).problem is not None


def test_a_gigabyte_in_a_megabyte_is_never_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "MOST_BYTES", MIB)
    path = tmp_path / "e.jsonl.gz"
    part = gzip.compress(bytes(16 * MIB))
    path.write_bytes(part * 16)  # gzip files one after the other are one
    tracemalloc.start()
    try:
        (only,) = read_records(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert only.problem is not None
    assert "is longer than" in only.problem.message
    assert peak < 16 * MIB


def test_a_parquet_file_of_absurdly_many_equal_values_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_VALUES", 1000)
    boxes = [{"speaker": "s1", "time": 1.0, "x0": 0.0, "y0": 0.0, "x1": 1.0, "y1": 1.0}] * 1001
    for count, refused in ((1000, False), (1001, True)):
        table = pa.Table.from_pylist([{**record(), "boxes": boxes[:count]}], schema=EPISODE_ARROW_SCHEMA)
        pq.write_table(table, tmp_path / "e.parquet")
        if refused:
            with pytest.raises(InvalidInputError, match=r"boxes\..* has 1001 values in 1 rows, more than 1000 in each"):
                list(read_records(tmp_path / "e.parquet"))
        else:
            assert len(list(read_records(tmp_path / "e.parquet"))) == 1


def test_rows_that_a_parquet_file_says_it_has_are_not_left_out(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    with EpisodeWriter(path) as writer:
        for number in range(70):
            writer.write(record(f"e{number}"))
    data = path.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    first = data.index(b"\x16\x8c\x01", footer)  # the first i64 that is 70, as Thrift writes it: the file's rows
    changed = data[: first + 1] + b"\xfe\x7f" + data[first + 3 :]
    path.write_bytes(changed)
    assert pq.ParquetFile(path).metadata.num_rows > 70
    with pytest.raises(InvalidInputError, match="it declares 8191 rows but has 70"):
        list(read_records(path))


def test_a_changed_byte_in_a_page_never_reads_as_something_else(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    with EpisodeWriter(path) as writer:
        for number in range(10):
            writer.write(record(f"e{number}"))
    data, expected = path.read_bytes(), list(read_records(path))
    column = pq.ParquetFile(path).metadata.row_group(0).column(1)
    assert column.path_in_schema == "episode_id"
    refused = 0
    for place in range(column.dictionary_page_offset, column.dictionary_page_offset + column.total_compressed_size):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            assert list(read_records(path)) == expected  # a byte that says nothing, such as a hint for readers
        except InvalidInputError:
            refused += 1
    assert refused > column.total_compressed_size / 2
