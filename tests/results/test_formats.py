"""Tables that somebody names: the ending says the format, and all formats say the same."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.errors import UsageError
from socialcli.results.formats import TABLE_SUFFIXES, table_suffix, write_table

SCHEMA = pa.schema(
    [
        pa.field("name", pa.string()),
        pa.field("n", pa.int32()),
        pa.field("share", pa.float64()),
        pa.field("right", pa.bool_()),
        pa.field("among", pa.list_(pa.string())),
    ]
)
ROWS: list[dict[str, Any]] = [
    {"name": "Anna", "n": 1, "share": 0.1, "right": True, "among": ["a", "b"]},
    {"name": '李雷, "雷"\nLi', "n": None, "share": 1 / 3, "right": False, "among": []},
    {"name": None, "n": -2, "share": None, "right": None, "among": None},
]


def test_parquet(tmp_path: Path) -> None:
    write_table(tmp_path / "a.parquet", ROWS, SCHEMA)
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == ROWS


def test_jsonl(tmp_path: Path) -> None:
    write_table(tmp_path / "a.jsonl", ROWS, SCHEMA)
    text = (tmp_path / "a.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line) for line in text.splitlines()] == ROWS
    assert "李雷" in text


def test_csv(tmp_path: Path) -> None:
    write_table(tmp_path / "a.csv", ROWS, SCHEMA)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert list(found[0]) == SCHEMA.names
    assert found[0] == {"name": "Anna", "n": "1", "share": "0.1", "right": "true", "among": '["a", "b"]'}
    assert found[1]["name"] == ROWS[1]["name"] and float(found[1]["share"]) == 1 / 3
    assert set(found[2].values()) == {"", "-2"}


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_no_rows_are_a_table_too(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix.upper()}"
    write_table(path, [], SCHEMA)
    assert path.exists()
    assert suffix != ".csv" or path.read_text().strip() == "name,n,share,right,among"


@pytest.mark.parametrize("name", ["a", "a.csv.gz", "a.xlsx", "a.pq", ".csv", "表.tsv"])
def test_another_ending_names_those_there_are(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--output .*\.csv, \.jsonl, \.parquet"):
        table_suffix(tmp_path / name, "--output")
    with pytest.raises(UsageError):
        write_table(tmp_path / name, ROWS, SCHEMA)
    assert not list(tmp_path.iterdir())
