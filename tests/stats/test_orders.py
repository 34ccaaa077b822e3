"""Circular accuracy and position bias, against models whose figures are known."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from socialcli.results.columns import as_record
from socialcli.results.predictions import Prediction
from socialcli.stats.accuracy import AccuracyRow, accuracy_table
from socialcli.stats.intervals import accuracy_interval, difference_interval
from socialcli.stats.paired import ComparedRow, compared_table
from socialcli.stats.pairing import pair_up
from socialcli.tasks.orders import permutations_of

from ..results.samples import failed, plain

CAST = ("ann", "bob", "cy", "dot")

Choose = Callable[[tuple[str, ...]], int | None]  # from the candidates as lettered; None: unparsed


def asked(
    choose: Choose, questions: int = 40, orders: int = 4, cast: tuple[str, ...] = CAST, **changes: Any
) -> list[Prediction]:
    """The answers of a model that chooses in this way; two questions an episode, the gold answer at any place."""
    rows = []
    for question in range(questions):
        places = permutations_of(len(cast), f"0/{question}")
        for order, one in zip(range(orders), places, strict=False):
            candidates = tuple(cast[place] for place in one)
            gold, choice = cast[question % len(cast)], choose(candidates)
            chosen = {"prediction": None, "status": "unparsed", "raw_text": "?"}
            if choice is not None:
                chosen = {"prediction": candidates[choice], "prediction_index": choice}
            values = {
                "question_id": f"q{question}",
                "episode_id": f"e{question // 2}",
                "candidates": candidates,
                "scores": None,
                "answer": gold,
                "answer_index": candidates.index(gold),
                "order": order,
                **chosen,
            }
            rows.append(plain(**values | changes))
    return rows


def counted(rows: list[Prediction]) -> AccuracyRow:
    (row,) = accuracy_table(map(as_record, rows))
    return row


def compared(a: list[Prediction], b: list[Prediction]) -> ComparedRow:
    (row,) = compared_table(pair_up(map(as_record, a), map(as_record, b)).pairs)
    return row


def letter_a(_: tuple[str, ...]) -> int:
    return 0


def person(candidates: tuple[str, ...]) -> int:
    return candidates.index("bob")


def coin(seed: int = 0) -> Choose:
    draw = random.Random(seed)
    return lambda candidates: draw.randrange(len(candidates))


def test_a_model_that_knows_its_letter_alone_has_all_the_position_bias() -> None:
    row = counted(asked(letter_a))
    assert (row.n, row.questions, row.orders) == (160, 40, 4)
    assert (row.accuracy, row.circular_accuracy, row.position_bias) == (0.25, 0.0, 1.0)


def test_a_model_that_knows_its_person_alone_has_none() -> None:
    row = counted(asked(person))
    assert (row.accuracy, row.circular_accuracy, row.position_bias) == (0.25, 0.25, 0.0)


@pytest.mark.parametrize("orders", [2, 4, 8, 24])
def test_a_coin_keeps_the_letter_once_in_as_many_candidates_whatever_the_number_of_orders(orders: int) -> None:
    row = counted(asked(coin(), questions=2000 // orders, orders=orders))
    assert row.position_bias == pytest.approx(1 / 4, abs=0.05)


def test_the_figures_of_a_mixture_by_hand() -> None:
    """Of 4 orders, the letter A three times and once the person of the first answer: 3 of 6 pairs keep the letter."""
    choices = iter([0, 0, 0, None])

    def mostly_a(candidates: tuple[str, ...]) -> int:
        choice = next(choices)
        return candidates.index(CAST[0]) if choice is None else choice

    row = counted(asked(mostly_a, questions=1))
    assert row.position_bias == 3 / 6
    assert row.circular_ci_low is None  # a single episode


def test_a_failed_or_unparsed_order_is_wrong_and_keeps_no_letter() -> None:
    rows = asked(lambda candidates: candidates.index("ann"), questions=1)
    assert counted(rows).circular_accuracy == 1.0
    lost = failed(question_id="q0", episode_id="e0", answer="ann", order=3, alignment=False, dataset=rows[0].dataset)
    row = counted([*rows[:3], lost])
    assert (row.n, row.correct, row.questions, row.circular_accuracy, row.position_bias) == (4, 3, 1, 0.0, 0.0)
    unparsed = counted(asked(lambda _: None, questions=2))
    assert (unparsed.accuracy, unparsed.circular_accuracy, unparsed.position_bias) == (0.0, 0.0, None)


def test_the_rows_may_come_in_any_order() -> None:
    rows = asked(coin(3))
    mixed = random.Random(1).sample(rows, len(rows))
    row, other = counted(rows), counted(mixed)
    assert other.position_bias == pytest.approx(row.position_bias)
    assert replace(other, position_bias=None) == replace(row, position_bias=None)


def test_without_orders_there_are_no_figures() -> None:
    row = counted(asked(coin(), orders=1, order=None))
    assert (row.orders, row.questions, row.circular_accuracy, row.position_bias) == (None,) * 4


def test_answers_that_repeat_each_other_make_no_interval_narrower() -> None:
    """Four orders of a question that is always answered alike are worth one answer."""
    once, often = counted(asked(person, orders=1)), counted(asked(person, orders=4))
    assert (often.ci_low, often.ci_high) == pytest.approx((once.ci_low, once.ci_high))
    assert accuracy_interval([(8, 8)] * 20, 4.0) == pytest.approx(accuracy_interval([(2, 2)] * 20))
    assert difference_interval([(8, 0, 0)] * 20, 4.0) == pytest.approx(difference_interval([(2, 0, 0)] * 20))


def test_two_sides_are_paired_by_question_and_order() -> None:
    a, b = asked(person), asked(lambda candidates: candidates.index("ann"))
    pairing = pair_up(map(as_record, a), map(as_record, b))
    assert all(pair.a.order == pair.b.order for pair in pairing.pairs) and not pairing.warnings
    row = compared(a, b)
    assert (row.n, row.questions, row.p_mcnemar) == (160, 40, None)
    assert (row.circular_a, row.circular_b, row.circular_difference) == (0.25, 0.25, 0.0)
    assert (row.position_bias_a, row.position_bias_b) == (0.0, 0.0)
    assert row.circular_p == 1.0


def test_questions_of_one_id_are_not_merged() -> None:
    """Three episodes have an id in common, in 2 to 6 orders of 2 to 4 names; another has it twice."""
    rows = [
        row
        for number, (cast, orders) in enumerate(((CAST[:2], 2), (CAST[:3], 6), (CAST, 4)))
        for row in asked(person, questions=1, orders=orders, cast=cast, episode_id=f"e{number}")
    ]
    rows += [row for _ in range(2) for row in asked(letter_a, questions=1, episode_id="e6")]
    both, alone = compared(rows, rows), counted(rows)
    assert (both.n, both.questions, both.episodes) == (20, 5, 4)
    assert (alone.n, alone.questions, alone.orders) == (20, 5, 6)
    assert both.position_bias_a == alone.position_bias == 2 / 5
    assert (both.ci_low, both.ci_high) == difference_interval([(2, 0, 0), (6, 0, 0), (4, 0, 0), (8, 0, 0)], 20 / 5)


def test_orders_of_other_candidates_are_no_pair() -> None:
    """As while a run is unfinished in whose file the question has lost a candidate since."""
    rows = [*asked(letter_a, questions=1, orders=2, cast=CAST[:3]), *asked(letter_a, questions=1)[2:]]
    assert counted(rows).position_bias == 1.0


def test_a_run_without_orders_is_compared_in_the_given_one() -> None:
    whole, given = asked(person), asked(person, orders=1, order=None)
    pairing = pair_up(map(as_record, whole), map(as_record, given))
    assert (len(pairing.pairs), pairing.only_a, pairing.only_b) == (40, 0, 0)
    assert pairing.warnings == ("120 answers in further orders of the candidates in A alone, which are skipped",)
    assert compared(whole, given).questions is None


def test_other_orders_under_one_number_are_reported() -> None:
    """As with another --permute-seed."""
    others = [replace(row, order=1) for row in asked(person) if row.order == 2]
    alone, other = pair_up(map(as_record, asked(person)), map(as_record, others)).warnings
    assert alone.startswith("120 answers in further orders")
    assert other.startswith("another order of the candidates in 40 of the 40")
