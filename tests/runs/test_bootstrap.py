from __future__ import annotations

import random

import numpy as np
import pytest

from socialcli.runs.bootstrap import clustered_difference, clustered_interval

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


PAIRED = [(n, correct, (correct + shift) % (n + 1)) for shift, (n, correct) in enumerate(CLUSTERS)]


def plain_difference(clusters: list[tuple[int, int, int]], draws: int, seed: int) -> tuple[float, float]:
    """The definition, on whole questions: each draw takes episodes with both answers of each of their questions."""
    generator = np.random.default_rng(seed)
    both = [np.array([[place < a, place < b] for place in range(n)], dtype=float).reshape(n, 2) for n, a, b in clusters]
    differences = np.empty(draws)
    for draw in range(draws):
        answers = np.concatenate([both[index] for index in generator.integers(len(both), size=len(both))])
        differences[draw] = answers[:, 1].mean() - answers[:, 0].mean()
    low, high = np.quantile(differences, (0.025, 0.975))
    return float(low), float(high)


def test_a_difference_equals_a_plain_resampling_of_whole_episodes() -> None:
    interval = clustered_difference(PAIRED, seed=0, draws=20_000)
    assert interval == pytest.approx(plain_difference(PAIRED, 20_000, seed=1), abs=0.015)


def test_the_sides_of_a_difference_see_the_same_resamples() -> None:
    # Both sides are right on the same episodes, but for one question: apart, each interval is wide.
    clusters = [(4, 4 * (number % 2), 4 * (number % 2)) for number in range(20)] + [(4, 0, 1)]
    accuracy = clustered_interval([(n, a) for n, a, _ in clusters], seed=0)
    difference = clustered_difference(clusters, seed=0)
    assert accuracy is not None and difference is not None
    assert accuracy[1] - accuracy[0] > 0.3
    assert 0 == difference[0] < difference[1] < 0.05


def test_a_difference_turns_round_with_its_sides() -> None:
    there, back = (clustered_difference(one, seed=5) for one in (PAIRED, [(n, b, a) for n, a, b in PAIRED]))
    assert there is not None and back is not None
    assert back == pytest.approx((-there[1], -there[0]), abs=0.015)


@pytest.mark.parametrize("clusters", [[], [(5, 3, 1)]])
def test_a_difference_of_fewer_than_two_clusters_has_no_interval(clusters: list[tuple[int, int, int]]) -> None:
    assert clustered_difference(clusters, seed=0) is None
