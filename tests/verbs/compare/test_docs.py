"""docs/compare.md names every column there is, in order, and no other."""

from __future__ import annotations

import dataclasses
import re

from socialcli.stats.paired import ComparedRow
from socialcli.verbs.compare.conditions import CONDITION_COLUMNS
from socialcli.verbs.compare.flips import FLIPS_ARROW_SCHEMA

from ...conftest import ROOT

PAGE = ROOT / "docs" / "compare.md"


def section(heading: str) -> str:
    return PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n#")[0]


def rows(heading: str) -> list[list[str]]:
    """The rows of the section's table, without its head."""
    lines = re.findall(r"^\|.*\|$", section(heading), re.MULTILINE)[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_fields_of_a_row() -> None:
    fields = [f"`{field.name}`" for field in dataclasses.fields(ComparedRow)]
    assert [name for _, name, _ in rows("The table")] == fields


def test_the_columns_of_flips() -> None:
    expected = [(f"`{item.name}`{'' if item.nullable else ' *'}", str(item.type)) for item in FLIPS_ARROW_SCHEMA]
    assert [(name, kind) for name, kind, _ in rows("The questions that flipped")] == expected


def test_the_columns_of_a_condition() -> None:
    listed = section("Which conditions").split("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", listed)) == CONDITION_COLUMNS
