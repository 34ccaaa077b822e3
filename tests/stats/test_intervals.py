"""Intervals that are clustered by episode. How often they cover the truth: tests/benchmarks/test_coverage.py."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.stats.intervals import accuracy_interval, difference_interval, ratio_interval

T_9, T_19 = 2.262157, 2.093024  # 97.5 % quantiles of Student's t, from printed tables
CLUSTERS = [(1, 1), (4, 1), (2, 2), (5, 4), (3, 0), (1, 0), (6, 5), (2, 1), (4, 4), (3, 2), (1, 1), (2, 0)]
PAIRED = [(4, 1, 2), (4, 0, 3), (4, 2, 1), (4, 0, 0), (4, 0, 1), (4, 1, 1), (4, 0, 2), (4, 1, 0), (4, 0, 2), (4, 0, 1)]


def logit(share: float) -> float:
    return math.log(share / (1 - share))


def test_equal_clusters_have_the_t_interval_of_their_means_on_the_logit_scale() -> None:
    correct = [3, 5, 2, 4, 5, 1, 4, 3, 4, 4]
    mean = sum(correct) / 50
    variance = sum((one / 5 - mean) ** 2 for one in correct) / 9 / 10
    reach = T_9 * math.sqrt(variance) / (mean * (1 - mean))
    interval = accuracy_interval([(5, one) for one in correct])
    assert interval is not None
    assert [logit(end) for end in interval] == pytest.approx(
        [math.log(35.5 / 15.5) - reach, math.log(35.5 / 15.5) + reach], abs=1e-5
    )


def test_equal_clusters_have_the_t_interval_of_their_differences() -> None:
    differences = [(gained - lost) / 4 for _, lost, gained in PAIRED]
    mean = sum(differences) / 10
    reach = T_9 * math.sqrt(sum((one - mean) ** 2 for one in differences) / 90)
    assert difference_interval(PAIRED) == pytest.approx((mean - reach, mean + reach), abs=1e-6)


def test_equal_clusters_have_the_t_interval_of_their_ratios() -> None:
    amounts = [0.0, 0.4, 0.1, 0.0, 1.9, 0.2, 0.0, 0.3, 0.1, 0.6]
    mean = sum(amounts) / 20
    reach = T_9 * math.sqrt(sum((one / 2 - mean) ** 2 for one in amounts) / 90)
    assert ratio_interval([(2.0, one) for one in amounts]) == pytest.approx((mean - reach, mean + reach), abs=1e-6)


@pytest.mark.parametrize("clusters", [[], [(2.0, 1.0)], [(2.0, 1.0), (0.0, 0.5)], [(2.0, 1.0), (4.0, 2.0)]])
def test_a_ratio_has_no_interval_without_a_spread(clusters: list[tuple[float, float]]) -> None:
    assert ratio_interval(clusters) is None


def test_questions_that_stand_and_fall_together_widen_the_interval() -> None:
    together = accuracy_interval([(10, 10 * (number % 2)) for number in range(20)])
    alone = accuracy_interval([(1, number % 2) for number in range(20)])
    assert together is not None and alone is not None
    # Ten alike answers are worth one.
    assert logit(together[1]) == pytest.approx(logit(alone[1])) == pytest.approx(T_19 * 2 / 19**0.5, abs=1e-5)


def test_unequal_clusters_are_worth_fewer() -> None:
    equal = difference_interval([(10, one, 2) for one in (1, 3) for _ in range(10)])
    unequal = difference_interval([(size, size // 10, size * 2 // 10) for size in (10,) * 18] + [(200, 60, 40)])
    assert equal is not None and unequal is not None
    assert unequal[1] - unequal[0] > 2 * (equal[1] - equal[0])


def test_the_order_of_clusters_does_not_matter() -> None:
    assert accuracy_interval(CLUSTERS) == pytest.approx(accuracy_interval(CLUSTERS[::-1]), rel=1e-12)


def test_a_difference_turns_round_with_its_sides() -> None:
    there, back = difference_interval(PAIRED), difference_interval([(n, b, a) for n, a, b in PAIRED])
    assert there is not None and back is not None
    assert back == pytest.approx((-there[1], -there[0]))


@pytest.mark.parametrize("clusters", [[], [(5, 3)], [(0, 0), (5, 3)]])
def test_fewer_than_two_clusters_have_no_interval(clusters: list[tuple[int, int]]) -> None:
    assert accuracy_interval(clusters) is None
    assert difference_interval([(n, 0, one) for n, one in clusters]) is None


def test_answers_that_are_all_alike_have_the_exact_bound_of_what_they_are_worth() -> None:
    assert accuracy_interval([(1, 1)] * 30) == pytest.approx((0.025 ** (1 / 30), 1))
    assert accuracy_interval([(1, 0)] * 30) == pytest.approx((0, 1 - 0.025 ** (1 / 30)))
    assert accuracy_interval([(11, 11)] * 30) == pytest.approx((0.025 ** (2 / 330), 1))  # correlation 0.1: 1 + 0.1 * 10
    assert difference_interval([(1, 0, 0)] * 30) == pytest.approx((0.025 ** (1 / 30) - 1, 1 - 0.025 ** (1 / 30)))
    assert difference_interval([(1, 0, 1)] * 30) == pytest.approx((2 * 0.025 ** (1 / 30) - 1, 1))
    assert difference_interval([(1, 1, 0)] * 30) == pytest.approx((-1, 1 - 2 * 0.025 ** (1 / 30)))


@given(st.lists(st.integers(1, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=2, max_size=12))
def test_an_interval_has_a_width_and_holds_the_accuracy(clusters: list[tuple[int, int]]) -> None:
    low, high = accuracy_interval(clusters) or (1.0, 0.0)
    questions = sum(n for n, _ in clusters)
    accuracy = sum(correct for _, correct in clusters) / questions
    assert 0 <= low <= accuracy <= high <= 1
    assert high - low > 0.2 / questions**0.5 * (accuracy * (1 - accuracy)) ** 0.5 + 0.001


@given(st.lists(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(2 * n), st.integers(0, n), st.integers(0, n))),
                min_size=2, max_size=12))  # fmt: skip
def test_an_interval_of_a_difference_too(clusters: list[tuple[int, int, int]]) -> None:
    low, high = difference_interval(clusters) or (1.0, 0.0)
    questions = sum(n for n, _, _ in clusters)
    difference = sum(gained - lost for _, lost, gained in clusters) / questions
    assert -1 <= low <= difference <= high <= 1
    assert high - low > 0.01


def test_numbers_of_any_size_are_no_error() -> None:
    low, high = accuracy_interval([(1_000_000, 10), (1, 1), (1, 1), (1, 1)]) or (1.0, 0.0)
    assert 0 <= low < 13 / 1_000_003 < high <= 1
