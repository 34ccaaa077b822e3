"""Markers of nothing are nobody's name, and an id has one spelling."""

from __future__ import annotations

import pytest

from socialcli.converting.labels import is_missing, known_name, normal_id


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", "nan", "NaN", "NAN", "<NA>", "<na>", "NA", "n/a", "N/A", "None", "null", "NULL", "(null)", "#N/A"),
        *("undefined", "<>", "[]"),
    ],
)
def test_a_missing_value_is_nobody(text: str) -> None:
    assert is_missing(text)
    assert known_name(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("UNKNAME", "unkname", "unknown", "UNKNOWN", " Unknown ", "<unk>", "[Unknown]", "Unknown speaker"),
        *("SPEAKER_UNKNOWN", "unknown-person", "?", "???", "--", "…", "-1", "-1.0"),
    ],
)
def test_a_word_for_somebody_unknown_is_nobody(text: str) -> None:
    assert not is_missing(text)
    assert known_name(text) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        *(("Nan", "Nan"), ("Na", "Na"), ("Null", "Null"), ("Nanna", "Nanna"), (" Anna  Maria ", "Anna Maria")),
        *(("unknown 2", "unknown 2"), ("UNKNOWN_01", "UNKNOWN_01"), ("Person", "Person"), ("speaker", "speaker")),
        *(("李娜", "李娜"), ("0", "0"), ("-2", "-2"), ("[Anna]", "[Anna]"), ("SPEAKER_00", "SPEAKER_00")),
    ],
)
def test_a_name_stays(text: str, name: str) -> None:
    assert known_name(text) == name


def test_no_text_is_nobody() -> None:
    assert known_name(None) is None


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        *(("5", "5"), ("5.0", "5"), (" 5.000 ", "5"), ("5.", "5"), ("-1.0", "-1"), ("-0.0", "0")),
        *(("5.000000000000000000e+00", "5"), ("1.2e+01", "12"), ("9007199254740993.0", "9007199254740993")),
        *(("005", "005"), ("00.0", "00.0"), ("5.5", "5.5"), ("1e5", "1e5"), ("1.25e+01", "1.25e+01")),
        *(
            ("v2.0", "v2.0"),
            ("1.2.0", "1.2.0"),
            ("Anna  Maria", "Anna Maria"),
            ("Zoe\u0308", "Zo\u00eb"),
            ("٥.0", "٥.0"),
        ),
    ],
)
def test_an_id_has_one_spelling(text: str, spelt: str) -> None:
    assert normal_id(text) == spelt
