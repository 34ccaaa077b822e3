"""One rule says where a word ends, in every script."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.words.boundaries import has_letter, is_called, joined, length_in_words, stands_alone


def alone(text: str, word: str) -> bool:
    start = text.index(word)
    return stands_alone(text, start, start + len(word))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *(("Anna", "Anna"), ("(Anna)", "Anna"), ("Anna's hat", "Anna"), ("Anna\u2019s", "Anna"), ("ANNA'S", "ANNA")),
        *(("Anna'll go", "Anna"), ("Ahmet'in", "Ahmet"), ("l'Anna", "Anna"), ("dell\u2019Anna", "Anna")),
        *(("Anna - Maria", "Anna"), ("Anna\u2014Maria", "Anna"), ("Anna--Maria", "Maria"), ("Anna-", "Anna")),
        *(("_B_", "B"), ("__B__", "B"), ("**B**", "B"), ("***B***", "B"), ("B_", "B"), ("'B'", "B")),
        *(("答案是B", "B"), ("选B。", "B"), ("Bです", "B"), ("은B입니다", "B"), ("คำตอบคือB", "B"), ("उत्तरB", "B")),
        *(("你好小明", "小明"), ("小明在", "小明"), ("さくらさん", "さくら"), ("アンナさん", "アンナ")),
        *(("민수가", "민수"), ("냉장고입니다", "냉장고"), ("Anna는", "Anna"), ("민수에게는", "민수")),
        *(("राम।", "राम"), ("राम ने", "राम"), ("أحمد،", "أحمد"), ("ในตู้เย็นครับ", "ตู้เย็น")),
        *(("မောင်မောင်က", "မောင်မောင်"), ("เขา\u200bสมชาย\u200bไป", "สมชาย")),
        *(("\u200fB\u200e", "B"), ("\ufeffB", "B"), ("选项2", "2"), ("第2个", "2"), ("Speaker 1.", "1")),
    ],
)
def test_a_whole_word_stands_alone(text: str, word: str) -> None:
    assert alone(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        *(("Annabel", "Anna"), ("Anna-Maria", "Anna"), ("Anna-Maria", "Maria"), ("Anna\u2011Maria", "Anna")),
        *(("O'Brien", "O"), ("O'Brien", "Brien"), ("D\u2019Angelo", "Angelo"), ("ANNA'MARIA", "ANNA")),
        *(("Because", "B"), ("B2", "B"), ("anna_maria", "anna"), ("**B**ecause", "B"), ("_B_ecause", "B")),
        *(("रामा", "राम"), ("राम्", "राम"), ("Zoe\u0308", "Zoe"), ("B\u0323", "B"), ("विराम", "राम")),
        *(("アンナベル", "アンナ"), ("김민수", "민수"), ("민수정", "민수"), ("มานา", "มาน"), ("เมือง", "มือง")),
        *(("မောင်", "မော"), ("ខ្មែរ", "ខ"), ("가\u11a8", "가"), ("علی\u200cرضا", "علی"), ("ג׳ון", "ון")),
        *(("na\u00adtion", "na"), ("3.5 m", "3"), ("1,000", "1"), ("5:30", "5"), ("ﾊﾞｽ", "ﾊ")),
    ],
)
def test_part_of_a_word_does_not(text: str, word: str) -> None:
    assert not alone(text, word)


def test_the_ends_of_a_text_are_ends_of_words() -> None:
    assert not joined("B", 0) and not joined("B", 1) and not joined("", 0)


@given(st.text(max_size=20))
def test_every_place_of_any_text_can_be_asked_about(text: str) -> None:
    assert [joined(text, place) for place in (0, len(text))] == [False, False]
    assert all(isinstance(joined(text, place), bool) for place in range(len(text) + 1))


@given(st.text("Aa1小アな민수राทา'-_ .", max_size=12))
def test_composed_and_decomposed_text_have_the_same_words(text: str) -> None:
    whole = unicodedata.normalize("NFC", text)
    place = 0
    for cut, character in enumerate(whole):
        assert joined(whole, cut) == joined(unicodedata.normalize("NFD", whole), place)
        place += len(unicodedata.normalize("NFD", character))


@pytest.mark.parametrize(
    "name", ["Anna", "Anna Maria", "Jean-Luc", "O\u2019Brien", "राम", "小明", "J.R.", "สมชาย", "علی\u200cرضا"]
)
def test_what_a_person_is_called_has_letters_of_any_script(name: str) -> None:
    assert is_called(name)


@pytest.mark.parametrize("label", ["", "-", "7", "SPEAKER_00", "track 3", "x/y", "a@b"])
def test_an_id_is_no_name(label: str) -> None:
    assert not is_called(label)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *(("so , no ...", 2), ("don't know", 2), ("안녕하세요 여러분", 2), ("मैं ठीक हूँ", 3), ("", 0), ("- ?", 0)),
        *(("他们在车里。", 2.5), ("Anna在车里", 2.5), ("それはバスです", 3.5), ("B2 ok", 2)),
    ],
)
def test_scripts_without_blanks_count_by_the_character(text: str, words: float) -> None:
    assert length_in_words(text) == words


def test_has_letter_sees_every_script() -> None:
    assert all(map(has_letter, ("a", "7", "车", "ร", "- é")))
    assert not any(map(has_letter, ("", "-_*", "।", "\u200d", "🔑")))
