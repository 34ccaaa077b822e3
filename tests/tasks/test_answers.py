"""Generated text is read strictly: it names one candidate, or none."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.tasks.answers import parse_answer
from socialcli.tasks.prompt import LETTERS
from tests.tasks.samples import candidates

SPEAKERS = candidates("Speaker 1", "Speaker 2", "Speaker 3", "Speaker 12")  # A, B, C, D
ANSWERS = candidates("Plan B", "Plan C", "a letter", "the kitchen", "in the kitchen table", "A red ball", "(none)")


@pytest.mark.parametrize(
    "text",
    [
        *("B", "B.", "(B)", "B)", "B:", "[B]", "**B**", "`B`", "'B'", '"B"', " B\n", "<B>", "B。"),
        *("Answer: B", "Answer is (B).", "The answer is B.", "The answer is B because he nods", "Option B", "it's B"),
        *("B) Speaker 2", "B. Speaker 2", "B: speaker 2", "B Speaker 2", "Speaker 2 (B)", "B\nSpeaker 2 nods."),
        *("B. Speaker 2 looks at Speaker 1", "B, because Speaker 1 looks at him", "I think it is B", "I'm sure: B"),
        *("B, not A", "B, B and B", "答案：B"),
    ],
)
def test_a_letter_names_its_candidate(text: str) -> None:
    assert parse_answer(text, SPEAKERS) == 1


@pytest.mark.parametrize("text", ["b", "b.", "(b)", " b) "])
def test_a_small_letter_counts_if_it_is_the_only_one(text: str) -> None:
    assert parse_answer(text, SPEAKERS) == 1


@pytest.mark.parametrize("text", ["A", "A.", "(A)", "a", "Answer: A", "A is right", "A\nSpeaker 1 speaks"])
def test_the_first_letter_is_an_answer_where_no_word_follows(text: str) -> None:
    assert parse_answer(text, SPEAKERS) == 0


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Speaker 2", 1),
        ("speaker 2.", 1),
        ("It is Speaker 2, who nods.", 1),
        ("Speaker 2's hat", 1),
        ("Speaker 1", 0),
        ("Speaker 12", 3),
        ("Not Speaker 1, Speaker 2", 1),
        ("I think it is Speaker 3", 2),
    ],
)
def test_a_label_alone_names_its_candidate(text: str, choice: int) -> None:
    assert parse_answer(text, SPEAKERS) == choice


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n", ".", "?!", "nobody", "the man on the left"),
        *("A man in a hat", "A Christmas tree", "I", "I.", "I think so", "I'm not sure", "X-ray", "U.S.A."),
        *("E", "E.", "(Z)", "E. Speaker 2", "e", "Speaker 4", "Speaker 123", "Speaker", "Speaker 1st", "B1", "AB"),
        *("not B", "It is not B.", "Not Speaker 1"),
    ],
)
def test_text_that_names_no_candidate_is_no_answer(text: str) -> None:
    assert parse_answer(text, SPEAKERS) is None


@pytest.mark.parametrize(
    "text",
    [
        *("A, B", "A or B", "A and B", "A to C", "A B", "either A or B.", "B or C", "A/B", "A|B", "(A) (B)", "B, E"),
        *("A. B. C. D.", "Speaker 1 or Speaker 2", "Speaker 1, Speaker 12", "Speaker 1 and I"),
        *("B. Speaker 3", "B) speaker 12", "B Speaker 3", "Speaker 3 (B)", "A: Speaker 2, who nods"),
    ],
)
def test_text_that_names_several_candidates_is_no_answer(text: str) -> None:
    assert parse_answer(text, SPEAKERS) is None


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("Plan B", 0),
        ("Plan C.", 1),
        ("B. Plan C", 1),
        ("A. Plan B", 0),
        ("a letter", 2),
        ("A letter", 2),
        ("C. A letter from the hospital", 2),
        ("the kitchen", 3),
        ("in the kitchen table", 4),
        ("a red ball", 5),
        ("F. A red ball", 5),
        ("(none)", 6),
        ("B. Plan B", None),
        ("a red", None),
    ],
)
def test_letters_and_articles_inside_a_label_are_its_own(text: str, choice: int | None) -> None:
    assert parse_answer(text, ANSWERS) == choice


@pytest.mark.parametrize(
    ("labels", "text", "choice"),
    [
        (("A", "B"), "B", 1),
        (("B", "A"), "B", None),  # the letter of one, the label of the other
        (("B", "A"), "A man", None),
        (("a", "the"), "a man", None),
        (("John", "john"), "John", None),
        (("John", "john"), "B. John", 1),
        (("Zo\u00eb", "Jos\u00e9"), "Zoe\u0308", 0),
        (("", "yes"), "", None),
        (("", "yes"), "A", 0),
        (("a.c", "abc"), "abc", 1),
    ],
)
def test_labels_that_look_like_letters_or_like_each_other_are_distinguished_or_unparsed(
    labels: tuple[str, ...], text: str, choice: int | None
) -> None:
    assert parse_answer(text, candidates(*labels)) == choice


@pytest.mark.parametrize(
    "text",
    [
        *(
            "答案是B",
            "选B",
            "选项B。",
            "应该是B，因为……",
            "Ｂ",
            "（Ｂ）",
            "Ⓑ",
            "𝐁",
            "我選擇B",
            "B是正确的",
            "选b。",
            "答案是 b",
        ),
        *(
            "答えはBです",
            "Bです。",
            "Bだと思います",
            "選択肢B",
            "정답은 B입니다",
            "B번",
            "B가 맞습니다",
            "คำตอบคือB",
            "ខB",
        ),
        *("सही उत्तर B है।", "उत्तरB", "الجواب هو B.", "الجواب\u200e B\u200f"),
        *("Ответ: B — потому что", "B因为他点头"),
        *(
            "_B_",
            "__B__",
            "**B**",
            "***B***",
            "*B*",
            r"\boxed{B}",
            r"$\boxed{\text{B}}$",
            "**答案：B**",
            "「B」",
            "【B】",
        ),
        *(
            "\ufeffB",
            "B\ufe0f",
            "\u200bB\u200b",
            "不是A，是B",
            "AではなくB",
            "A가 아니라 B",
            "排除A，选B",
            "B，穿T恤的人",
        ),
        *("B. Speaker ２", "选B，Speaker 2", "It isn't A, it's B", "A is wrong. B", "B 因为他点头"),
    ],
)
def test_a_letter_is_found_in_every_script(text: str) -> None:
    assert parse_answer(text, SPEAKERS) == 1


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Because",
            "**B**ecause he nods",
            "_B_ecause",
            "Be\u0301be\u0301",
            "B\u0323",
            "Bücher",
            "Вариант",
            "snake_B",
            "B_2",
        ),
        *(
            "不是B",
            "并非B",
            "Bではない",
            "Bではありません",
            "B가 아닙니다",
            "B不对",
            "B नहीं है",
            "ไม่ใช่B",
            "B is wrong",
            "pas B",
        ),
        *(
            "B还是C",
            "A或B",
            "选A，不，选B",
            "AとB",
            "A와 B",
            "他是A型血",
            "A君",
            "Bさん",
            "穿T恤的人",
            "选E",
            "E，Speaker 2",
        ),
        *("It isn't B", "not option B", "除了B"),
    ],
)
def test_no_letter_is_made_up_in_any_script(text: str) -> None:
    assert parse_answer(text, SPEAKERS) is None


@pytest.mark.parametrize(
    ("labels", "text", "choice"),
    [
        (("在桌子上", "在车里", "冰箱里"), "答案是冰箱里", 2),
        (("在桌子上", "在车里", "冰箱里"), "他们在车里。", 1),
        (("在桌子上", "在车里", "冰箱里"), "他们不是在车里，是在桌子上", 0),
        (("在桌子上", "在车里", "冰箱里"), "在车里或者冰箱里", None),
        (("在桌子上", "在车里", "冰箱里"), "C，在车里", None),
        (("在桌子上", "在车里", "冰箱里"), "B 在车里", 1),
        (("车", "车里"), "在车里", 1),
        (("车", "车里"), "车", 0),
        (("车", "车里"), "车里的人在车上", None),
        (("穿T恤的人", "小明"), "是穿T恤的人", 0),
        (("穿T恤的人", "小明"), "小明，他穿T恤", 1),
        (("冷蔵庫の中", "車の中"), "答えは冷蔵庫の中です", 0),
        (("アンナ", "ベン"), "アンナベルです", None),
        (("アンナ", "ベン"), "ベンです", 1),
        (("냉장고", "자동차"), "정답은 냉장고입니다", 0),
        (("냉장고", "자동차"), "김자동차", None),
        (("ตู้เย็น", "ในรถ"), "อยู่ในตู้เย็นครับ", 0),
        (("ในรถ", "ที่บ้าน"), "คำตอบคือในรถ", 0),
        (("في الثلاجة", "في السيارة"), "الجواب هو: في السيارة.", 1),
        (("السيارة", "الثلاجة"), "والسيارة", None),
        (("राम", "सीता"), "रामा", None),
        (("राम", "सीता"), "उत्तर है राम।", 0),
        (("कार में", "घर में"), "वे घर में हैं", 1),
        (("O’Brien", "Anna"), "It's O'Brien's.", 0),
        (("Anna", "Ben"), "Anna-Maria", None),
        (("Anna", "Ben"), "**Anna**", 0),
        (("Zoé", "l'eau"), "C'est Zoé", 0),
        (("eau", "vin"), "de l'eau", 0),
        (("3", "4"), "3.5", None),
        (("Plan B", "Plan C"), "not Plan B", None),
    ],
)
def test_labels_are_found_in_every_script(labels: tuple[str, ...], text: str, choice: int | None) -> None:
    assert parse_answer(text, candidates(*labels)) == choice


@given(st.integers(1, 26), st.integers(0, 25), st.sampled_from(["{}", "{}.", "({})", "Answer: {}", "{}\n"]))
def test_every_letter_names_its_candidate_or_none(count: int, letter: int, form: str) -> None:
    labels = candidates(*(f"Speaker {index + 1}" for index in range(count)))
    assert parse_answer(form.format(LETTERS[letter]), labels) == (letter if letter < count else None)


@given(st.text(max_size=30))
def test_any_text_is_read_without_error(text: str) -> None:
    assert parse_answer(text, SPEAKERS) in {None, 0, 1, 2, 3}


def test_the_answers_of_the_field_are_read(cases: Path, capfd: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(cases / "generated-answers-cjk" / "t.py"))
    said = capfd.readouterr().out
    assert said.count("ok  ") == 14 and "BAD" not in said


EQUAL = candidates("on the desk", "在桌上", "On the desk", "在桌上", "nowhere")


@pytest.mark.parametrize("text", ["On the desk", "on the desk.", "在桌上", "Answer: 在桌上。", "It is on the desk!"])
def test_a_label_that_candidates_share_names_none_of_them(text: str) -> None:
    assert parse_answer(text, EQUAL) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [("A", 0), ("C. On the desk", 2), ("(A) on the desk", 0), ("D: 在桌上", 3), ("B 在桌上", 1), ("nowhere", 4)],
)
def test_a_letter_says_which_of_equal_candidates_is_meant(text: str, place: int) -> None:
    assert parse_answer(text, EQUAL) == place


def test_a_letter_beside_the_label_of_others_is_no_answer() -> None:
    assert parse_answer("E. On the desk", EQUAL) is None
