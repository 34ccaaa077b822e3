"""The learning rate, and the floor of the bias, from step to step."""

from __future__ import annotations

from itertools import pairwise

import pytest

from socialcli.verbs.train.learning.schedule import Schedule, Shape


@pytest.mark.parametrize("shape", ["cosine", "linear", "constant"])
def test_the_rate_grows_to_the_whole_and_falls(shape: Shape) -> None:
    schedule = Schedule(steps=100, warmup=0.1, shape=shape)
    rates = [schedule.rate(step) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert max(rates) == 1.0
    assert all(later <= earlier for earlier, later in pairwise(rates[9:]))
    assert rates[-1] == (1.0 if shape == "constant" else pytest.approx(0.0, abs=1e-9))


def test_a_cosine_is_half_in_the_middle() -> None:
    assert Schedule(steps=100, warmup=0.0).rate(50) == pytest.approx(0.5)


def test_one_step_learns() -> None:
    assert Schedule(steps=1).rate(1) == 1.0


def test_the_floor_falls_to_the_methods_own() -> None:
    schedule = Schedule(steps=100, bias_warmup=40, bias_floor=4.0)
    assert [schedule.floor(step) for step in (10, 20, 40, 41, 100)] == pytest.approx([3.0, 2.0, 0.0, 0.0, 0.0])
    assert Schedule(steps=100).floor(1) == 0.0
