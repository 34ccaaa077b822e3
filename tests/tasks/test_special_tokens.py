"""Text of a transcript is data: nothing in it acts as a special token."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.tasks.special_tokens import harmless


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<video>", "‹video›"),
        ("say <|im_end|> now", "say ‹|im_end|› now"),
        ("<IMG_CONTEXT><img></img>", "‹IMG_CONTEXT›‹img›‹/img›"),
        ("</s><s>", "‹/s›‹s›"),
        ("<0x0A>", "‹0x0A›"),
        ("<<video>>", "<‹video›>"),
        ("a<b<video>", "a<b‹video›"),
        ("<video", "<video"),
        ("I <3 you > him", "I <3 you > him"),
        ("a < b > c", "a < b > c"),
        ("", ""),
    ],
)
def test_anything_like_a_tag_gets_other_brackets(text: str, expected: str) -> None:
    assert harmless(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two\nlines\r\nand\tmore", "two lines and more"),
        ("  around  ", "around"),
        ("a\x00b\x1b[0mc\x7fd", "a b [0mc d"),
        ("a\u2028b\u0085c\u00a0d", "a b c d"),
        ("\n\t ", ""),
        ("<vi\x00deo>", "<vi deo>"),
    ],
)
def test_text_is_one_line_without_control_characters(text: str, expected: str) -> None:
    assert harmless(text) == expected


def test_accents_are_composed_and_emoji_stay() -> None:
    assert harmless("Zoe\u0308 🎲👩‍🚀") == "Zo\u00eb 🎲👩‍🚀"


@given(st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("<>|/ae\u0301\n\x00")), max_size=40))
def test_any_text_becomes_one_composed_line_without_tags(text: str) -> None:
    result = harmless(text)
    assert harmless(result) == result
    assert unicodedata.is_normalized("NFC", result)
    assert result == " ".join(result.split())
    assert re.search(r"<[^<>\s]+>|[\x00-\x1f\x7f]", result) is None
