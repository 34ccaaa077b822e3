from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from socialcli.stats.mcnemar import mcnemar_p


def by_enumeration(only_a: int, only_b: int) -> float:
    """The definition: the share of all ways to throw the coins that are at least as uneven as what was seen."""
    count = only_a + only_b
    seen = abs(only_a - only_b)
    throws = [abs(2 * sum(heads) - count) >= seen for heads in product((0, 1), repeat=count)]
    return sum(throws) / len(throws)


def exactly(only_a: int, only_b: int) -> float:
    """Twice the tail in whole numbers, of any size."""
    count, choose, tail = only_a + only_b, 1, 1
    for lower in range(1, min(only_a, only_b) + 1):
        choose = choose * (count - lower + 1) // lower
        tail += choose
    return float(min(Fraction(1), Fraction(2 * tail, 2**count)))


@pytest.mark.parametrize("count", range(13))
def test_it_is_the_share_of_coins_that_fall_as_unevenly(count: int) -> None:
    for only_a in range(count + 1):
        assert mcnemar_p(only_a, count - only_a) == pytest.approx(by_enumeration(only_a, count - only_a), rel=1e-13)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [
        (0, 5, 2 / 2**5),
        (0, 6, 2 / 2**6),
        (1, 9, 22 / 2**10),
        (3, 10, 756 / 2**13),
        (12, 5, 0.143463134765625),
        (121, 59, 4.434449263755176e-06),
    ],
)
def test_known_values(only_a: int, only_b: int, p: float) -> None:
    assert mcnemar_p(only_a, only_b) == pytest.approx(p, rel=1e-12)


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 1000), (480, 520), (4700, 5000), (9000, 11000), (20_000, 20_000), (9_900, 10_300)]
)
def test_many_disagreements_are_as_right_as_few(only_a: int, only_b: int) -> None:
    assert mcnemar_p(only_a, only_b) == pytest.approx(exactly(only_a, only_b), rel=1e-9)


def test_it_is_symmetric_and_never_above_1() -> None:
    for only_a, only_b in product(range(30), repeat=2):
        assert mcnemar_p(only_a, only_b) == mcnemar_p(only_b, only_a) <= 1
    assert mcnemar_p(7, 7) == 1


def test_no_count_is_too_large() -> None:
    assert mcnemar_p(0, 100_000) == 0
    # 500,000 and 498,000 are 2.0 standard deviations apart; the normal distribution with continuity correction.
    assert mcnemar_p(500_000, 498_000) == pytest.approx(0.045392, abs=2e-6)
