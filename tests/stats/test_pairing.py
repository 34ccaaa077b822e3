from __future__ import annotations

from typing import Any

import pytest

from socialcli.errors import InvalidInputError
from socialcli.results.columns import as_record
from socialcli.results.predictions import Prediction
from socialcli.stats.pairing import Pairing, pair_up

from ..results.folders import answered
from ..results.samples import failed, plain

SWAPPED = ("bob", "ann")
OTHER = ("ann", "cy")


def paired(a: list[Prediction], b: list[Prediction]) -> Pairing:
    return pair_up(map(as_record, a), map(as_record, b))


def several(count: int = 3, **changes: Any) -> list[Prediction]:
    return answered("1" * count, **changes)


def test_rows_are_paired_by_question_whatever_their_order() -> None:
    pairing = paired(answered("1100"), answered("1010")[::-1])
    assert [(pair.a.question_id, pair.a.correct, pair.b.correct) for pair in pairing.pairs] == [
        ("q0", True, True),
        ("q1", True, False),
        ("q2", False, True),
        ("q3", False, False),
    ]
    assert all(pair.a.question_id == pair.b.question_id for pair in pairing.pairs)
    assert (pairing.only_a, pairing.only_b, pairing.warnings) == (0, 0, ())


def test_questions_of_one_side_are_left_out_and_told() -> None:
    pairing = paired(answered("1111")[:3], answered("1111")[2:])
    assert [pair.a.question_id for pair in pairing.pairs] == ["q2"]
    assert (pairing.only_a, pairing.only_b) == (2, 1)
    assert pairing.warnings == (
        "2 questions ('q0' first) in A alone, which are skipped",
        "1 question ('q3' first) in B alone, which are skipped",
    )


def test_a_question_of_another_task_is_another_question() -> None:
    with pytest.raises(InvalidInputError, match="no question in common"):
        paired(several(), several(task="coref"))


def test_nothing_in_common_tells_what_there_is() -> None:
    with pytest.raises(InvalidInputError) as told:
        paired(several(2), [plain(question_id="z9")])
    assert "A has 2 questions ('q0' first) and B has 1 question ('z9' first)" in str(told.value)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"candidates": OTHER}, "other candidates in 2"),
        (
            {"answer": "bob"},
            "another gold answer (--answers takes those of both sides from one file) in 2",
        ),
        ({"episode_id": "elsewhere"}, "another episode in 2"),
    ],
)
def test_two_questions_under_one_name_are_an_error(changes: dict[str, Any], part: str) -> None:
    b = [several()[0], *(plain(question_id=f"q{n}", **{"episode_id": f"e{n // 2}"} | changes) for n in (1, 2))]
    with pytest.raises(InvalidInputError) as told:
        paired(several(), b)
    assert str(told.value) == f"A and B cannot be compared: {part} of the 3 common questions ('q1' first)"


def test_all_that_differs_is_reported_at_once() -> None:
    with pytest.raises(InvalidInputError, match=r"other candidates in 2 of .*; another gold answer \(.*\) in 2 of "):
        paired(several(2), several(2, candidates=OTHER, answer="cy"))


def test_another_order_of_the_candidates_is_compared_with_a_warning() -> None:
    pairing = paired(several(), several(candidates=SWAPPED))
    assert len(pairing.pairs) == 3
    assert pairing.warnings == ("another order of the candidates in 3 of the 3 common questions ('q0' first)",)


def test_unknown_candidates_of_a_failed_row_fit_any() -> None:
    pairing = paired([plain(dataset=None)], [failed(episode_id="e1")])
    assert (len(pairing.pairs), pairing.warnings) == (1, ())
    assert not pairing.pairs[0].b.correct and pairing.pairs[0].labelled


def test_another_split_is_compared_with_a_warning_and_counts_as_a_has_it() -> None:
    pairing = paired(several(split="test"), several(split="dev"))
    assert {pair.a.split for pair in pairing.pairs} == {"test"}
    assert "another dataset or split (A's counts) in 3 of the 3" in pairing.warnings[0]


def test_an_answer_that_one_side_knows_is_not_enough() -> None:
    pairing = paired(answered("11u"), answered("1uu"))
    assert [pair.labelled for pair in pairing.pairs] == [True, False, False]
    (warning,) = pairing.warnings
    assert "a gold answer on one side alone (they count as unlabelled) in 1 of the 3 common questions ('q1'" in warning


def test_a_question_that_stands_twice_is_paired_in_its_turn() -> None:
    twice = [plain(), plain(prediction="bob")]
    pairing = paired(twice, [*twice, plain()])
    assert [(pair.a.correct, pair.b.correct) for pair in pairing.pairs] == [(True, True), (False, False)]
    assert pairing.only_b == 1
    assert pairing.warnings[:2] == (
        "1 rows of A repeat a question ('q1' first)",
        "2 rows of B repeat a question ('q1' first)",
    )
