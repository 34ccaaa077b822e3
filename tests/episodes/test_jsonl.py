from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.episodes.checking.problems import Problem
from socialcli.episodes.formats.jsonl import RecordLine, parse_lines


def parse(*lines: bytes) -> list[RecordLine]:
    return list(parse_lines(line + b"\n" for line in lines))


def test_blank_lines_are_skipped_but_counted() -> None:
    assert parse(b'{"a": 1}', b"", b"  \t\r", b'{"a": 2}\r') == [RecordLine(1, {"a": 1}), RecordLine(4, {"a": 2})]


def test_a_byte_order_mark_is_no_part_of_the_first_record() -> None:
    assert parse(b'\xef\xbb\xbf{"a": 1}') == [RecordLine(1, {"a": 1})]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": [', "is not valid JSON at column 8 (Expecting value); write one whole JSON object on the line"),
        (b'{"a": 1} {', "is not valid JSON at column 10 (Extra data); write one whole JSON object on the line"),
        (b'{"a": 1, "b": {"x0": 1, "x0": 2}}', 'has the key "x0" twice in one object; keep one'),
        (b'{"a": NaN}', "holds NaN, which JSON has no number for; write a number, or null where it may be left out"),
        (b'{"a": -Infinity}', "holds -Infinity, which JSON has no number for; write a number, or null where it may"),
        (b'{"a": "caf\xe9"}', "is not UTF-8 at byte 11; save the file as UTF-8"),
        (b"[" * 100_000, "is nested too deeply to be an episode; write one JSON object of the format on the line"),
        (b"9" * 5_000, "holds a number with thousands of digits; write one that fits a computer"),
        (b'{"\\ud800": 1}', "holds half of a surrogate pair (\\ud800 to \\udfff); write the whole character"),
    ],
)
def test_what_is_wrong_with_a_line_costs_that_line_only(line: bytes, message: str) -> None:
    good, bad, after = parse(b'{"a": 1}', line, b'{"a": 2}')
    assert (good, after) == (RecordLine(1, {"a": 1}), RecordLine(3, {"a": 2}))
    assert bad.problem is not None
    assert bad.problem.located("f.jsonl").startswith(f"f.jsonl:2:record: {message}")


def test_half_of_a_character_is_found_in_its_field() -> None:
    [line] = parse(b'{"a": "\\ud83c\\udfb2", "b": [1, {"c": "x\\udfb2"}]}')
    assert line.problem is not None
    assert line.problem.field == "b[1].c"


@given(st.lists(st.sampled_from(["\\ud83c", "\\uDFB2", "\\\\", "\\u0041", "é", "u", '\\"']), max_size=8))
def test_a_text_is_refused_exactly_where_it_cannot_be_written(pieces: list[str]) -> None:
    source = f'{{"a": "{"".join(pieces)}"}}'
    value = json.loads(source)["a"]
    [line] = parse(source.encode())
    if any("\ud800" <= character <= "\udfff" for character in value):
        assert isinstance(line.problem, Problem) and line.problem.field == "a"
    else:
        assert line == RecordLine(1, {"a": value})
