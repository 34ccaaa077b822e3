"""Generated text is read strictly: it names one candidate, or none."""

from __future__ import annotations

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
def test_a_small_letter_counts_where_it_is_all_there_is(text: str) -> None:
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
def test_labels_that_look_like_letters_or_like_each_other_are_told_apart_or_left(
    labels: tuple[str, ...], text: str, choice: int | None
) -> None:
    assert parse_answer(text, candidates(*labels)) == choice


@given(st.integers(1, 26), st.integers(0, 25), st.sampled_from(["{}", "{}.", "({})", "Answer: {}", "{}\n"]))
def test_every_letter_names_its_candidate_or_none(count: int, letter: int, form: str) -> None:
    labels = candidates(*(f"Speaker {index + 1}" for index in range(count)))
    assert parse_answer(form.format(LETTERS[letter]), labels) == (letter if letter < count else None)


@given(st.text(max_size=30))
def test_any_text_is_read_without_error(text: str) -> None:
    assert parse_answer(text, SPEAKERS) in {None, 0, 1, 2, 3}


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
