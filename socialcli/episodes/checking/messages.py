"""Explain in words how a record violates the schema of an episode."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from socialcli.episodes.checking.compiled_schema import Test, compile_schema
from socialcli.episodes.checking.problems import Finding, shown
from socialcli.schemas import load_schema

_NOUNS = {
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "number": "a number",
    "integer": "a whole number",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class _Failure:
    """A `value` that violates a keyword of `schema`; `demand` is the keyword's value."""

    value: Any
    demand: Any
    schema: Mapping[str, Any]


@cache
def shape_test() -> Test:
    """A fast test of whether a record is valid under the schema of an episode."""
    return compile_schema(load_schema("episode"))


def explain(record: object) -> list[Finding]:
    """Where and how `record` violates the schema of an episode; empty if it is valid."""
    doubtful, rows = _doubtful_part(record)
    findings: dict[Finding, None] = {}
    for error in _validator().iter_errors(doubtful):
        path = tuple(error.absolute_path)
        if len(path) > 1 and path[0] in rows:
            path = (path[0], rows[str(path[0])][int(path[1])], *path[2:])
        failure = _Failure(error.instance, error.validator_value, _mapping(error.schema))
        for below, text in _MESSAGES[str(error.validator)](failure):
            findings[path + below, text] = None  # a dict, because each missing field is reported once per keyword
    return list(findings)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(load_schema("episode"))


@cache
def _item_tests() -> dict[str, Test]:
    """A test for the items of each list of the episode whose items can be tested one by one."""
    properties = load_schema("episode")["properties"]
    plain = {"description", "type", "items"}
    return {
        name: compile_schema(schema["items"])
        for name, schema in properties.items()
        if schema["type"] == "array" and plain.issuperset(schema)
    }


def _doubtful_part(record: object) -> tuple[object, dict[str, list[int]]]:
    """`record` without the list items known to be valid, and the original indices of those that remain."""
    if not isinstance(record, dict):
        return record, {}
    part, kept = dict(record), {}
    for name, test in _item_tests().items():
        if isinstance(items := record.get(name), list):
            kept[name] = [index for index, item in enumerate(items) if not test(item)]
            part[name] = [items[index] for index in kept[name]]
    return part, kept


def _mapping(schema: object) -> Mapping[str, Any]:
    assert isinstance(schema, Mapping)  # a boolean schema has no keyword that could fail
    return schema


def _missing(failure: _Failure) -> Iterator[Finding]:
    properties = failure.schema["properties"]
    for name in failure.demand:
        if name not in failure.value:
            yield (name,), f"is missing; add it: {properties[name]['description']}"


def _unknown(failure: _Failure) -> Iterator[Finding]:
    known = failure.schema["properties"]
    for name in failure.value:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"remove it (known fields: {', '.join(known)})"
            yield (name,), f"is not a field of the format; {remedy}"


def _wrong_type(failure: _Failure) -> Iterator[Finding]:
    types = failure.demand
    names = [types] if isinstance(types, str) else [name for name in types if name != "null"]
    expected = " or ".join(_NOUNS[name] for name in names)
    remedy = f"write {expected}" if isinstance(types, str) else f"write {expected}, or leave it out"
    yield (), f"is {_described(failure.value)}, not {expected}; {remedy}"


def _described(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return shown(value)
    return f"the {'string' if isinstance(value, str) else 'number'} {shown(value)}"


def _wrong_constant(failure: _Failure) -> Iterator[Finding]:
    expected = shown(failure.demand)
    yield (), f"is {shown(failure.value)}, which this version does not read; write {expected}"


def _empty(failure: _Failure) -> Iterator[Finding]:
    optional = "null" in failure.schema["type"]
    yield (), f"is empty; {'fill it in or leave it out' if optional else 'fill it in'}"


def _bound(relation: str) -> Callable[[_Failure], Iterator[Finding]]:
    def message(failure: _Failure) -> Iterator[Finding]:
        yield (), f"is {shown(failure.value)}; it must be {relation} {failure.demand}"

    return message


def _length(failure: _Failure) -> Iterator[Finding]:
    least, most = failure.schema["minItems"], failure.schema["maxItems"]
    number = len(failure.value)
    expected = f"{least}" if least == most else f"{least} to {most}"
    yield (), f"has {number} item{'' if number == 1 else 's'}; give {expected}"


_MESSAGES: dict[str, Callable[[_Failure], Iterator[Finding]]] = {
    "required": _missing,
    "additionalProperties": _unknown,
    "type": _wrong_type,
    "const": _wrong_constant,
    "minLength": _empty,
    "minimum": _bound("at least"),
    "maximum": _bound("at most"),
    "exclusiveMinimum": _bound("more than"),
    "minItems": _length,
    "maxItems": _length,
}
