from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from socialcli.episodes.checking.questions import TASK_RULES
from socialcli.episodes.checking.record import Seen, check
from socialcli.schemas import load_schema

from ..conftest import ROOT

PAGE = (ROOT / "docs" / "episodes.md").read_text(encoding="utf-8")
TYPES = {"object": "object", "array": "list", "string": "string", "number": "number", "integer": "integer"}


def table_rows(schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, sub in schema["properties"].items():
        kind = sub["type"] if isinstance(sub["type"], str) else sub["type"][0]
        required = "yes" if name in schema["required"] else ""
        item = sub.get("items", {})
        shown = f"list of {TYPES[item['type']]}s" if kind == "array" else TYPES[kind]
        yield f"| `{prefix}{name}` | {shown} | {required} | {sub['description']} |"
        if kind == "object":
            yield from table_rows(sub, f"{prefix}{name}.")
        elif item.get("type") == "object":
            yield from table_rows(item, f"{prefix}{name}[].")


def test_the_table_of_fields_is_that_of_the_schema() -> None:
    table = re.search(r"<!-- fields: begin.*?-->\n(.*)<!-- fields: end -->", PAGE, re.DOTALL)
    assert table is not None
    header = ["| field | type | required | what it is |", "|---|---|---|---|"]
    assert table[1].splitlines() == [*header, *table_rows(load_schema("episode"))]


def test_the_example_is_a_correct_episode() -> None:
    example = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    assert check(json.loads(example[1]), 1, Seen()) == []


def test_the_table_of_tasks_names_what_each_needs() -> None:
    for task, rule in TASK_RULES.items():
        row = re.search(rf"^\| `{task}` \| (.*?) \|", PAGE, re.MULTILINE)
        assert row is not None
        assert tuple(re.findall(r"`(\w+)`", row[1])) == rule.needs
