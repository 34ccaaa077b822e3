from __future__ import annotations

import random

import numpy as np
import pytest

from socialcli.runs.bootstrap import clustered_interval

CLUSTERS = [(1, 1), (4, 1), (2, 2), (5, 4), (3, 0), (1, 0), (6, 5), (2, 1), (4, 4), (3, 2), (1, 1), (2, 0)]


def simple_interval(clusters: list[tuple[int, int]], draws: int, seed: int) -> tuple[float, float]:
    """The definition, one resampled cluster at a time."""
    generator = random.Random(seed)
    accuracies = []
    for _ in range(draws):
        sample = [generator.choice(clusters) for _ in clusters]
        accuracies.append(sum(correct for _, correct in sample) / sum(n for n, _ in sample))
    accuracies.sort()
    return accuracies[round(0.025 * (draws - 1))], accuracies[round(0.975 * (draws - 1))]


def test_it_equals_a_simple_loop_over_clusters() -> None:
    interval = clustered_interval(CLUSTERS, seed=0, draws=20_000)
    assert interval == pytest.approx(simple_interval(CLUSTERS, 20_000, seed=1), abs=0.012)


def test_the_same_seed_gives_the_same_interval_whatever_the_order() -> None:
    assert clustered_interval(CLUSTERS, seed=3) == clustered_interval(CLUSTERS[::-1], seed=3)
    assert clustered_interval(CLUSTERS, seed=3) != clustered_interval(CLUSTERS, seed=4)


def test_drawing_in_pieces_covers_every_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialcli.runs.bootstrap._CELLS_AT_ONCE", 50)
    interval = clustered_interval(CLUSTERS, seed=0, draws=10_001)
    assert interval == pytest.approx(simple_interval(CLUSTERS, 20_000, seed=1), abs=0.015)


@pytest.mark.parametrize("clusters", [[], [(5, 3)]])
def test_fewer_than_two_clusters_have_no_interval(clusters: list[tuple[int, int]]) -> None:
    assert clustered_interval(clusters, seed=0) is None


def test_questions_that_stand_and_fall_together_widen_the_interval() -> None:
    alone = clustered_interval([(1, number % 2) for number in range(200)], seed=0)
    together = clustered_interval([(10, 10 * (number % 2)) for number in range(20)], seed=0)
    assert alone is not None and together is not None
    # Ten alike answers are worth one: the interval of 20 clusters is sqrt(10) times that of 200 questions.
    assert together[1] - together[0] == pytest.approx(10**0.5 * (alone[1] - alone[0]), rel=0.1)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    covered = 0
    trials = 300
    for trial in range(trials):
        sizes = generator.integers(1, 8, size=60)
        skill = generator.beta(2, 2, size=60)  # of each episode: true mean 0.5, and answers in it alike
        correct = generator.binomial(sizes, skill)
        low, high = clustered_interval(zip(sizes.tolist(), correct.tolist(), strict=True), trial, 1000) or (
            1,
            0,
        )
        covered += low <= 0.5 <= high
    assert 0.90 <= covered / trials <= 0.98
