from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from socialcli.episodes.checking.messages import explain
from socialcli.schemas import load_schema

from ..samples import Record, changed, mutated_records

VALIDATOR = Draft202012Validator(load_schema("episode"))
OF_A_CHILD = {"required", "additionalProperties"}  # jsonschema reports these at the object, explain at the field


@settings(max_examples=300, deadline=None)
@given(mutated_records())
def test_leaving_out_good_items_hides_no_finding_of_jsonschema(record: Record) -> None:
    expected = {
        (tuple(error.absolute_path), str(error.validator) in OF_A_CHILD) for error in VALIDATOR.iter_errors(record)
    }
    found = {(path[:-1], True) if of_child(text) else (path, False) for path, text in explain(record)}
    assert found == expected


def of_child(message: str) -> bool:
    return message.startswith(("is missing", "is not a field"))


def put(*path: str | int, value: Any) -> Record:
    def change(record: Any) -> None:
        for step in path[:-1]:
            record = record[step]
        record[path[-1]] = value

    return changed(change)


@pytest.mark.parametrize(
    ("record", "path", "message"),
    [
        ([], (), "is a list, not an object; write an object"),
        (
            put("schema_version", value="2.0"),
            ("schema_version",),
            'is "2.0", which this version does not read; write "1.0"',
        ),
        (put("vdeo", value=1), ("vdeo",), "is not a field of the format; did you mean video?"),
        (
            put("speakers", 0, "qqq", value=1),
            ("speakers", 0, "qqq"),
            "is not a field of the format; remove it (known fields: id, name)",
        ),
        (put("boxes", 2, "x0", value="12"), ("boxes", 2, "x0"), 'is the string "12", not a number; write a number'),
        (put("boxes", 2, "x0", value=True), ("boxes", 2, "x0"), "is true, not a number; write a number"),
        (put("boxes", 1, "time", value=-1), ("boxes", 1, "time"), "is -1; it must be at least 0"),
        (put("boxes", value={}), ("boxes",), "is an object, not a list; write a list"),
        (put("video", "width", value=1.5), ("video", "width"), "is the number 1.5, not a whole number; write a whole"),
        (put("video", "width", value=None), ("video", "width"), "is null, not a whole number; write a whole number"),
        (put("video", "width", value=70_000), ("video", "width"), "is 70000; it must be at most 65536"),
        (put("video", "fps", value=0), ("video", "fps"), "is 0; it must be more than 0"),
        (put("video", "path", value=""), ("video", "path"), "is empty; fill it in"),
        (put("split", value=""), ("split",), "is empty; fill it in or leave it out"),
        (put("split", value=3), ("split",), "is the number 3, not a string; write a string, or leave it out"),
        (put("questions", 1, "span", value=[1]), ("questions", 1, "span"), "has 1 item; give 2"),
        (
            put("questions", 3, "candidates", value=list("ABCDEFGHIJKLMNOPQRSTUVWXYZa")),
            ("questions", 3, "candidates"),
            "has 27 items; give 2 to 26",
        ),
        (
            put("questions", 3, "answer_index", value="1"),
            ("questions", 3, "answer_index"),
            'is the string "1", not a whole number; write a whole number, or leave it out',
        ),
        (
            put("questions", 3, "answer_index", value=-1),
            ("questions", 3, "answer_index"),
            "is -1; it must be at least 0",
        ),
    ],
)
def test_a_finding_says_where_what_and_what_to_do(record: object, path: tuple[Any, ...], message: str) -> None:
    [(found_path, found_message)] = explain(record)
    assert found_path == path
    assert found_message.startswith(message)


def test_each_missing_field_is_named_with_its_description() -> None:
    def drop(record: Record) -> None:
        del record["video"]["path"], record["video"]["height"]

    findings = explain(changed(drop))
    assert [path for path, _ in findings] == [("video", "path"), ("video", "height")]
    assert findings[0][1] == "is missing; add it: a video file or a folder of images, relative to the media root"
