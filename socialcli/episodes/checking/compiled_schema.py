"""Compile a JSON Schema to a fast validity test.

jsonschema explains precisely what is wrong with a record, but takes milliseconds for one with 500 boxes, mostly to
find that it is valid. A compiled schema answers yes or no in the time it takes to parse the record; jsonschema then
explains each "no" (see `socialcli.episodes.checking.messages`). Both agree on every JSON value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import NoneType
from typing import Any

Test = Callable[[Any], bool]
_Table = dict[type, Test]  # the test for values of each Python type; other types are rejected

_ANNOTATIONS = frozenset({"$schema", "$id", "title", "description"})
_KEYWORDS = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"const", "minLength"},
    "number": {"minimum", "maximum", "exclusiveMinimum"},
    "integer": {"minimum", "maximum", "exclusiveMinimum"},
    "null": set[str](),
}


def compile_schema(schema: Mapping[str, Any]) -> Test:
    """A function that returns whether a JSON value (as from `json.loads`) is valid under `schema`.

    Raises ValueError for a schema with keywords that this small compiler does not support.
    """
    table = _table(schema)
    return lambda value: table.get(type(value), _refuse)(value)


def _accept(_: Any) -> bool:
    return True


def _refuse(_: Any) -> bool:
    return False


def _table(schema: Mapping[str, Any]) -> _Table:
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    known = {"type"}.union(_ANNOTATIONS, *(_KEYWORDS.get(name, ()) for name in names))
    if not names or not known.issuperset(schema) or not _BUILDERS.keys() >= set(names):
        raise ValueError(f"cannot compile the schema {dict(schema)!r}")
    table: _Table = {}
    for name in names:
        table |= _BUILDERS[name](schema)
    return table


def _object(schema: Mapping[str, Any]) -> _Table:
    if schema.get("additionalProperties") is not False:
        raise ValueError("an object's schema must have additionalProperties: false")
    tables = {name: _table(sub) for name, sub in schema["properties"].items()}
    required = frozenset(schema.get("required", ()))
    unknown: _Table = {}

    def test(value: dict[str, Any]) -> bool:
        for name, item in value.items():
            check = tables.get(name, unknown).get(type(item), _refuse)
            if check is not _accept and not check(item):  # for most values the type is the only test
                return False
        return required <= value.keys()

    return {dict: test}


def _array(schema: Mapping[str, Any]) -> _Table:
    items = _table(schema["items"])
    tests = list(_array_tests(schema))

    def test(value: list[Any]) -> bool:
        return all(items.get(type(item), _refuse)(item) for item in value) and all(t(value) for t in tests)

    return {list: test}


def _array_tests(schema: Mapping[str, Any]) -> Iterator[Test]:
    if "minItems" in schema:
        yield lambda value: len(value) >= schema["minItems"]
    if "maxItems" in schema:
        yield lambda value: len(value) <= schema["maxItems"]


def _string(schema: Mapping[str, Any]) -> _Table:
    shortest = schema.get("minLength", 0)
    if "const" in schema:
        return {str: lambda value: value == schema["const"] and len(value) >= shortest}
    if shortest == 0:
        return {str: _accept}
    return {str: lambda value: len(value) >= shortest}


def _number_test(schema: Mapping[str, Any]) -> Test:
    # "not below" rather than "at least": NaN, which a Parquet file can hold, passes every bound of JSON Schema.
    tests: list[Test] = []
    if (low := schema.get("minimum")) is not None:
        tests.append(lambda value: not value < low)
    if (high := schema.get("maximum")) is not None:
        tests.append(lambda value: not value > high)
    if (above := schema.get("exclusiveMinimum")) is not None:
        tests.append(lambda value: not value <= above)
    if len(tests) < 2:
        return tests[0] if tests else _accept
    return lambda value: all(test(value) for test in tests)


def _number(schema: Mapping[str, Any]) -> _Table:
    test = _number_test(schema)
    return {int: test, float: test}


def _integer(schema: Mapping[str, Any]) -> _Table:
    test = _number_test(schema)
    return {int: test, float: lambda value: value.is_integer() and test(value)}  # 3.0 is an integer in JSON


def _null(_: Mapping[str, Any]) -> _Table:
    return {NoneType: _accept}


_BUILDERS: dict[str, Callable[[Mapping[str, Any]], _Table]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _integer,
    "null": _null,
}
