"""attention.parquet: its rows, its writer, and its page in the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.results.heads import HEADS_ARROW_SCHEMA
from socialcli.verbs.measure.attention_table import (
    ATTENTION_ARROW_SCHEMA,
    ROWS_PER_GROUP,
    AttentionRow,
    attention_writer,
    head_rows,
)
from socialcli.verbs.measure.files import FIELDS, MeasureCounts

from ...conftest import ROOT
from ...results.samples import disk_of
from .figures import head_figures, measure_settings

PAGE = ROOT / "docs" / "measure.md"
CHOSEN = range(1, 3)


def rows(own: bool = True, **changes: Any) -> list[AttentionRow]:
    columns: dict[str, Any] = {"episode_id": "e1", "dataset": None, "split": "test", "tasks": ("coref", "target")}
    return list(head_rows(head_figures(4, 2, CHOSEN, own=own), CHOSEN, measure_settings(), **{**columns, **changes}))


def written(path: Path, *groups: list[AttentionRow]) -> list[dict[str, Any]]:
    with attention_writer(path) as write:
        for group in groups:
            write(group)
    return pq.read_table(path).to_pylist()


def test_a_row_for_every_head_says_whether_its_layer_takes_part(tmp_path: Path) -> None:
    found = written(tmp_path / "attention.parquet", rows())
    assert [(row["layer"], row["head"]) for row in found] == [(layer, head) for layer in range(4) for head in range(2)]
    assert [row["layer"] for row in found if row["in_range"]] == [1, 1, 2, 2]
    assert found[0]["tasks"] == ["coref", "target"]
    assert (found[0]["lambda"], found[0]["layers"], found[0]["split"]) == (5e-5, "1-2", "test")


def test_the_columns_hold_the_figures_of_their_names(tmp_path: Path) -> None:
    figures = head_figures(4, 2, CHOSEN)
    row = written(tmp_path / "attention.parquet", rows())[5]
    assert (row["layer"], row["head"]) == (2, 1)
    assert row["attn_max_before"] == figures.attn_max["before", "own"][2, 1]
    assert row["attn_mean_after"] == figures.attn_mean["after", "own"][2, 1]
    assert row["other_max_after"] == figures.attn_max["after", "other"][2, 1]
    assert row["other_mean_before"] == figures.attn_mean["before", "other"][2, 1]
    assert (row["rows"], row["other_pairs"], row["prompts"]) == (40, 30, 20)


def test_what_has_no_mean_is_null(tmp_path: Path) -> None:
    for row in written(tmp_path / "attention.parquet", rows(own=False)):
        assert row["rows"] == row["pairs"] == 0
        assert {row[f"attn_{kind}_{stage}"] for kind in ("max", "mean") for stage in ("before", "after")} == {None}
        assert row["other_mean_before"] > 0


def test_rows_go_to_the_file_in_groups(tmp_path: Path) -> None:
    episodes = 2 * ROWS_PER_GROUP // len(rows()) + 1
    path = tmp_path / "attention.parquet"
    found = written(path, *(rows(episode_id=f"e{index}") for index in range(episodes)))
    assert [row["episode_id"] for row in found[::8]] == [f"e{index}" for index in range(episodes)]
    with pq.ParquetFile(path) as file:
        assert file.num_row_groups == 3
        assert file.schema_arrow.equals(ATTENTION_ARROW_SCHEMA)


def test_no_rows_are_a_table_without_rows(tmp_path: Path) -> None:
    assert written(tmp_path / "attention.parquet") == []


def test_half_a_surrogate_pair_is_written_as_its_escape(tmp_path: Path) -> None:
    assert written(tmp_path / "attention.parquet", rows(episode_id="e\ud800"))[0]["episode_id"] == "e\\ud800"


def test_an_error_leaves_what_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "attention.parquet"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError), attention_writer(path) as write:
        write(rows())
        raise RuntimeError
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("attention.parquet", b"before")]


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "attention.parquet"
    with pytest.raises(OSError) as caught, disk_of(1000), attention_writer(path) as write:
        write(rows())
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def documented(heading: str) -> list[list[list[str]]]:
    """The tables below a heading of the page, as rows of cells, without their heads."""
    section = re.split(r"\n#{2,} ", PAGE.read_text(encoding="utf-8").split(f"\n### {heading}\n")[1])[0]
    found = re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE)
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in one.splitlines()[2:]] for one in found]


@pytest.mark.parametrize(
    ("heading", "schema"), [("attention.parquet", ATTENTION_ARROW_SCHEMA), ("heads.parquet", HEADS_ARROW_SCHEMA)]
)
def test_the_page_names_every_column_with_its_type(heading: str, schema: pa.Schema) -> None:
    (table,) = documented(heading)
    columns = [
        (
            f"`{item.name}`{'' if item.nullable else ' *'}",
            f"list of {item.type.value_type}" if pa.types.is_list(item.type) else str(item.type),
        )
        for item in schema
    ]
    assert [(name, kind) for name, kind, _ in table] == columns


def test_the_page_names_every_field_of_measure_json() -> None:
    fields, counts = documented("measure.json")
    assert [name.strip("`") for name, _ in fields] == list(FIELDS)
    assert [name.strip("`") for name, _ in counts] == list(MeasureCounts.__dataclass_fields__)
