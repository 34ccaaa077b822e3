"""docs/output.md names every column and field there is, in order, with its type, and no other."""

from __future__ import annotations

import re

import pyarrow as pa

from socialcli.results.predictions import PREDICTION_ARROW_SCHEMA
from socialcli.stats.accuracy import ACCURACY_ARROW_SCHEMA

from ..conftest import ROOT
from .samples import validator

PAGE = ROOT / "docs" / "output.md"


def tables(heading: str) -> list[list[list[str]]]:
    """The tables of a section, as rows of cells, without their heads."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE)
    return [[_cells(line) for line in table.splitlines()[2:]] for table in found]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def columns(schema: pa.Schema) -> list[tuple[str, str]]:
    def kind(value: pa.DataType) -> str:
        return f"list of {kind(value.value_type)}" if pa.types.is_list(value) else str(value)

    return [(f"`{item.name}`{'' if item.nullable else ' *'}", kind(item.type)) for item in schema]


def test_the_columns_of_predictions() -> None:
    (table,) = tables("predictions.parquet")
    assert [(name, kind) for name, kind, _ in table] == columns(PREDICTION_ARROW_SCHEMA)


def test_the_columns_of_accuracy() -> None:
    (table,) = tables("accuracy.parquet")
    assert [(name, kind) for name, kind, _ in table] == columns(ACCURACY_ARROW_SCHEMA)


def test_the_fields_of_the_manifest() -> None:
    schema = validator("run").schema["properties"]
    parts = ("model", "counts", "coverage")
    expected = [list(schema), *(list(schema[part]["properties"]) for part in parts)]
    assert [[name.strip("`") for name, _ in table] for table in tables("run.json")] == expected
