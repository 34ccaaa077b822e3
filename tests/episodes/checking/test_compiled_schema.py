from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from socialcli.episodes.checking.compiled_schema import compile_schema
from socialcli.episodes.checking.messages import shape_test
from socialcli.schemas import load_schema

from ..samples import JSON_VALUES, Record, mutated_records

VALIDATOR = Draft202012Validator(load_schema("episode"))


@settings(max_examples=400, deadline=None)
@given(mutated_records())
def test_compiled_schema_and_jsonschema_agree_on_damaged_episodes(record: Record) -> None:
    assert shape_test()(record) is VALIDATOR.is_valid(record)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 0, "maximum": 2},
        {"type": ["number", "null"], "exclusiveMinimum": 0},
        {"type": "string", "const": "1.0"},
        {"type": ["string", "null"], "minLength": 1},
        {"type": ["array", "null"], "minItems": 2, "maxItems": 2, "items": {"type": "integer"}},
        {"type": "array", "maxItems": 26, "items": {"type": "string"}},
    ],
)
@settings(deadline=None)
@given(value=JSON_VALUES)
def test_compiled_keyword_and_jsonschema_agree(schema: dict[str, Any], value: object) -> None:
    assert compile_schema(schema)(value) is Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string", "pattern": "a"},
        {"type": "boolean"},
        {"type": "object", "properties": {}},
        {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    ],
)
def test_a_schema_beyond_the_compiler_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="schema"):
        compile_schema(schema)
