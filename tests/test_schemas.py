from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator

from socialcli.episodes.formats.arrow import EPISODE_ARROW_SCHEMA
from socialcli.errors import UnknownNameError
from socialcli.schemas import SCHEMA_NAMES, load_schema

from .episodes.samples import record

SCALARS = {"string": pa.string(), "number": pa.float64(), "integer": pa.int32()}


def as_structure_from_json(schema: dict[str, Any]) -> object:
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "object":
        return {
            name: (as_structure_from_json(sub), "null" in sub["type"] and name not in schema["required"])
            for name, sub in schema["properties"].items()
        }
    return [as_structure_from_json(schema["items"])] if kind == "array" else SCALARS[kind]


def as_structure_from_arrow(kind: Any) -> object:
    if isinstance(kind, pa.Schema | pa.StructType):
        return {field.name: (as_structure_from_arrow(field.type), field.nullable) for field in kind}
    if isinstance(kind, pa.ListType):
        assert not kind.value_field.nullable
        return [as_structure_from_arrow(kind.value_type)]
    return kind


def sub_schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for sub in (*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])):
        yield from sub_schemas(sub)


def test_arrow_and_json_schema_have_the_same_names_types_and_nulls() -> None:
    assert as_structure_from_arrow(EPISODE_ARROW_SCHEMA) == as_structure_from_json(load_schema("episode"))


def test_the_episode_schema_is_valid_and_accepts_an_episode() -> None:
    Draft202012Validator.check_schema(load_schema("episode"))
    Draft202012Validator(load_schema("episode")).validate(record())


def test_every_part_of_the_episode_schema_is_described_and_closed() -> None:
    for schema in sub_schemas(load_schema("episode")):
        assert schema["description"]
        assert schema["type"] != "object" or schema["additionalProperties"] is False


def test_optional_means_nullable() -> None:
    for schema in sub_schemas(load_schema("episode")):
        for name, sub in schema.get("properties", {}).items():
            assert ("null" in sub["type"]) is (name not in schema["required"]), name


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_every_schema_is_draft_2020_12(name: str) -> None:
    schema = load_schema(name)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)


def test_an_unknown_schema_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'episode'"):
        load_schema("episodes")
