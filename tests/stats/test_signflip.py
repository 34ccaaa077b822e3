"""The test by signs flipped by episode equals its definition, and holds its level."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.stats.mcnemar import mcnemar_p
from socialcli.stats.signflip import least_p, sign_flip_p


def by_enumeration(differences: list[int]) -> float:
    seen = abs(sum(differences))
    choices = list(itertools.product((1, -1), repeat=len(differences)))
    totals = [sum(sign * one for sign, one in zip(signs, differences, strict=True)) for signs in choices]
    return sum(abs(total) >= seen for total in totals) / len(choices)


@given(st.lists(st.integers(-5, 5), max_size=10))
def test_it_equals_the_share_of_all_choices_of_signs(differences: list[int]) -> None:
    assert sign_flip_p(differences) == pytest.approx(by_enumeration(differences), rel=1e-12)


def test_with_one_question_an_episode_it_is_mcnemars() -> None:
    for only_a, only_b in ((0, 1), (2, 9), (40, 61), (300, 301), (0, 900)):
        p = sign_flip_p([*[-1] * only_a, *[1] * only_b, *[0] * 7])
        assert p == pytest.approx(mcnemar_p(only_a, only_b), rel=1e-9)


def test_questions_that_stand_and_fall_together_are_worth_one() -> None:
    assert sign_flip_p([5] * 4 + [-5]) == sign_flip_p([1] * 4 + [-1]) == pytest.approx(12 / 32)
    assert mcnemar_p(5, 20) < 0.01


def test_no_difference_in_total_is_no_evidence() -> None:
    assert sign_flip_p([]) == sign_flip_p([0, 0]) == sign_flip_p([3, -2, -1]) == 1


@pytest.mark.parametrize(("episodes", "least"), [(0, 1), (1, 1), (2, 0.5), (5, 1 / 16), (6, 1 / 32)])
def test_the_least_p_is_that_of_episodes_that_all_go_one_way(episodes: int, least: float) -> None:
    assert least_p(episodes) == sign_flip_p([3] * episodes) == least


def test_twenty_thousand_episodes_are_counted_exactly_too() -> None:
    rng = random.Random(4)
    differences = [rng.choice((-3, -1, 1, 3)) for _ in range(20_000)]
    total, variance = abs(sum(differences)), sum(one * one for one in differences)
    normal = 2 * (1 - _below((total - 1) / variance**0.5))  # totals go up in steps of 2
    assert sign_flip_p(differences) == pytest.approx(normal, rel=1e-3)
    assert sign_flip_p([1] * 3000) == 0  # 2^-2999 is below what a float can hold


def _below(score: float) -> float:
    from statistics import NormalDist

    return NormalDist().cdf(score)
