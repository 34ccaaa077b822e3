"""Equal words are found in whatever spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.words.spelling import find_words, plain


@pytest.mark.parametrize(
    ("text", "even"),
    [
        *(
            ("Ｂ", "B"),
            ("（Ｂ）", "(B)"),
            ("Ⓑ", "B"),
            ("𝐁", "B"),
            ("２", "2"),
            ("ﾊﾞｽ", "バス"),
            ("Zoe\u0308", "Zo\u00eb"),
        ),
        *(
            ("O\u2019Brien", "O'Brien"),
            ("Jean\u2011Luc", "Jean-Luc"),
            ("علی\u200cرضا", "علیرضا"),
            ("\u200fB\u200e", "B"),
        ),
        *(("민수", "민수"), ("x²", "x²"), ("①B", "①B"), ("…", "…")),
    ],
)
def test_spelling_is_made_even(text: str, even: str) -> None:
    assert plain(text).text == even


@given(st.text(max_size=20))
def test_places_lead_back(text: str) -> None:
    even = plain(text)
    assert len(even.places) == len(even.text) + 1
    assert even.places[-1] == len(text)
    assert list(even.places) == sorted(even.places)


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        *(
            ("Ask ANNA.", "Anna", ["ANNA"]),
            ("Zoe\u0308 is", "Zo\u00eb", ["Zoe\u0308"]),
            ("Anna  Maria", "Anna Maria", ["Anna  Maria"]),
        ),
        *(("O'Brien and O\u2019Brien", "O\u2019Brien", ["O'Brien", "O\u2019Brien"]), ("你好小明", "小明", ["小明"])),
        *(("ＡＮＮＡ", "Anna", ["ＡＮＮＡ"]), ("علیرضا", "علی\u200cرضا", ["علیرضا"]), ("x", "", [])),
        *(("Annabel Anna", "Anna", ["Anna"]), ("रामा राम।", "राम", ["राम"]), ("𝐀nna", "Anna", ["𝐀nna"])),
    ],
)
def test_phrases_are_found_where_they_stood(text: str, phrase: str, found: list[str]) -> None:
    assert [text[slice(*span)] for span in find_words(text, [phrase])] == found


def test_the_longest_phrase_counts_unless_it_is_no_whole_word() -> None:
    names = ["Anna", "Anna Maria", "Maria"]
    assert list(find_words("Anna Maria", names)) == [(0, 10)]
    assert list(find_words("Anna Mariana Maria", names)) == [(0, 4), (13, 18)]
