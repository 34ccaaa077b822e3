"""The orders of candidates: distinct, balanced, and the same whatever else is asked."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from math import factorial

import pytest

from socialcli.tasks.orders import GIVEN, OrderChoice, permutations_of
from socialcli.tasks.prompt import build_prompt

from .samples import episode, question
from .test_prompt import TASKS

QUESTION = question("videoqa", text="Who?", candidates=("one", "two", "three", "four"), answer="three")


def drawn(size: int, most: int, stream: str = "0/q1") -> list[tuple[int, ...]]:
    return list(islice(permutations_of(size, stream), most))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_the_orders_are_all_there_are_once_each_from_the_given_one(size: int) -> None:
    found = drawn(size, 10**6)
    assert found[0] == tuple(range(size))
    assert len(found) == len(set(found)) == factorial(size)


@pytest.mark.parametrize(("size", "most"), [(3, 2), (4, 3), (4, 4), (4, 6), (5, 13), (26, 40)])
def test_candidates_stand_at_each_letter_equally_often(size: int, most: int) -> None:
    for stream in ("0/q1", "0/q2", "1/q1"):
        places = Counter((letter, place) for one in drawn(size, most, stream) for letter, place in enumerate(one))
        counts = [places[letter, place] for letter in range(size) for place in range(size)]
        assert max(counts) - min(counts) <= 1


def test_as_many_orders_as_candidates_are_the_cyclic_shifts() -> None:
    assert {one[0]: one for one in drawn(4, 4)} == {s: tuple((s + i) % 4 for i in range(4)) for s in range(4)}


def test_the_first_orders_do_not_depend_on_their_number_but_on_seed_and_question() -> None:
    assert drawn(4, 24)[:6] == drawn(4, 6)
    assert len({tuple(drawn(5, 24, stream)) for stream in ("0/q1", "0/q2", "1/q1")}) == 3


def test_ids_with_half_a_surrogate_pair_have_orders() -> None:
    """JSON can hold one; strict UTF-8 cannot."""
    assert len(set(drawn(3, 6, "0/\ud800"))) == 6


def test_a_prompt_in_another_order_differs_in_its_options_alone() -> None:
    given, second = OrderChoice(2).orders(TASKS["videoqa"], episode(), QUESTION)
    assert given == GIVEN
    first = build_prompt(TASKS["videoqa"], episode(), QUESTION, None)
    other = build_prompt(TASKS["videoqa"], episode(), QUESTION, None, order=second)
    options = first.text.index("A. one")
    assert first.text[:options] == other.text[:options] and first.text != other.text
    assert sorted(one.id for one in other.candidates) == sorted(one.id for one in first.candidates)
    assert first.gold == 2 and other.gold is not None and other.candidates[other.gold].id == "three"


def test_the_gold_answer_among_equal_candidates_moves_with_its_place() -> None:
    equal = question("videoqa", text="Who?", candidates=("tea", "tea", "water"), answer="tea", answer_index=1)
    orders = OrderChoice(6).orders(TASKS["videoqa"], episode(), equal)
    prompts = [build_prompt(TASKS["videoqa"], episode(), equal, None, order=one) for one in orders]
    assert [one.gold for one in prompts] == [one.places.index(1) if one.places else 1 for one in orders]
    assert {one.gold for one in prompts} == {0, 1, 2}


def test_derived_candidates_are_permuted_too_and_have_all_orders_that_there_are() -> None:
    asked = question("target", utterance="u1")
    orders = OrderChoice(8).orders(TASKS["target"], episode(), asked)
    prompts = [build_prompt(TASKS["target"], episode(), asked, None, order=one) for one in orders]
    assert [[item.id for item in one.candidates] for one in prompts] == [["ana", "cleo"], ["cleo", "ana"]]


def test_a_question_without_candidates_fails_in_every_order() -> None:
    orders = OrderChoice(3).orders(TASKS["videoqa"], episode(), question("videoqa", text="Who?"))
    assert [one.number for one in orders] == [0, 1, 2]
