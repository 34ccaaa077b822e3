from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.errors import VideoError
from socialcli.video.timing import Clock, Window, pick_uniform, within

_TICKS = st.lists(st.integers(-1000, 1000), min_size=1, max_size=30, unique=True).map(sorted)


@given(_TICKS, st.integers(2, 20))
def test_picks_are_the_nearest_ticks_to_a_linspace(ticks: list[int], count: int) -> None:
    picks = pick_uniform(ticks, count)
    for pick, target in zip(picks, np.linspace(ticks[0], ticks[-1], count), strict=True):
        assert abs(ticks[pick] - target) <= min(abs(tick - target) for tick in ticks) + 1e-9


@given(_TICKS, st.integers(2, 20))
def test_picks_are_in_order_and_hold_both_ends(ticks: list[int], count: int) -> None:
    picks = pick_uniform(ticks, count)
    assert picks == sorted(picks)
    assert picks[0] == 0
    assert picks[-1] == len(ticks) - 1


def test_a_tie_goes_to_the_earlier() -> None:
    assert pick_uniform([0, 1, 2, 3], 3) == [0, 1, 3]
    assert pick_uniform([0, 10], 3) == [0, 0, 1]


def test_a_single_pick_is_the_one_nearest_the_middle() -> None:
    assert pick_uniform([0, 1, 2, 3, 100], 1) == [3]
    assert pick_uniform([0, 1], 1) == [0]
    assert pick_uniform([7], 1) == [0]


def test_a_window_holds_both_its_ends() -> None:
    assert list(within([10, 20, 30, 40], 20, 30)) == [1, 2]
    assert list(within([10, 20, 30, 40], None, 9)) == []
    assert list(within([10, 20], 15, 12)) == []


def test_rounding_of_a_windows_ends_does_not_lose_a_frame() -> None:
    clock = Clock(Fraction(1, 10), Fraction(5))
    assert clock.first_tick(Window(0.1 + 0.2, None)) == 53
    assert clock.last_tick(Window(None, 0.3 - 1e-12)) == 53


def test_a_clock_subtracts_its_origin_and_rounds_once() -> None:
    clock = Clock(Fraction(1, 90000), Fraction(126000, 90000))
    assert clock.seconds(126000) == 0.0
    assert clock.seconds(126000 + 3003) == 3003 / 90000


@pytest.mark.parametrize(("start", "end"), [(2.0, 1.0), (float("nan"), None), (None, float("inf"))])
def test_an_impossible_window_is_refused(start: float | None, end: float | None) -> None:
    with pytest.raises(VideoError, match="window"):
        Window(start, end)
