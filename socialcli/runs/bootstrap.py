"""How sure an accuracy is when questions come in clusters: the percentile interval of a cluster bootstrap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

DRAWS = 10_000
CONFIDENCE = 0.95

_CELLS_AT_ONCE = 1_000_000  # numbers drawn at a time: 8 MB


def clustered_interval(
    clusters: Iterable[tuple[int, int]], seed: int, draws: int = DRAWS
) -> tuple[float, float] | None:
    """The 95 % interval of an accuracy over `clusters` of (questions, correct ones); None for fewer than two.

    Questions on one clip share its people, words and pictures, so their answers are not independent, and an
    interval that takes them to be is too narrow. Instead whole clusters are drawn with replacement, as many
    as there are; each draw's accuracy is its correct answers over its questions; the interval runs from the
    2.5th to the 97.5th percentile of `draws` such accuracies. (Field & Welsh, "Bootstrapping clustered data",
    JRSS B 69, 2007: the cluster bootstrap; Cameron, Gelbach & Miller, "Bootstrap-based improvements for
    inference with clustered errors", Rev. Econ. Stat. 90, 2008, who treat the case of few clusters, 5 to 30,
    where such intervals come out too narrow.)

    A draw's accuracy depends only on how many clusters of each (questions, correct) kind it holds, which is
    multinomial; so the kinds are drawn, not the clusters: the same distribution at a cost that does not grow
    with the number of clusters. A single cluster always draws itself, which says nothing of how sure the
    accuracy is.
    """
    sums = _resampled(clusters, seed, draws)
    return None if sums is None else _middle(sums[:, 1] / sums[:, 0])


def clustered_difference(
    clusters: Iterable[tuple[int, int, int]], seed: int, draws: int = DRAWS
) -> tuple[float, float] | None:
    """The 95 % interval of the difference between two accuracies on the same questions; None for one cluster or none.

    `clusters` are (questions, correct ones under A, correct ones under B), and the difference is B's accuracy less A's,
    -1 to 1. It is the bootstrap of `clustered_interval`, paired: what is drawn is a cluster with the answers of both
    sides, so that both accuracies of a draw are of the same questions, and what makes a clip hard for both cancels out.
    (Field & Welsh 2007, as above; Efron & Tibshirani, "An introduction to the bootstrap", 1993, chapter 8, for the
    resampling of the unit that carries the pairs.)
    """
    sums = _resampled(clusters, seed, draws)
    return None if sums is None else _middle((sums[:, 2] - sums[:, 1]) / sums[:, 0])


def _resampled(
    clusters: Iterable[tuple[int, ...]], seed: int, draws: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]] | None:
    """The sums of the clusters' numbers over each draw, (draws, numbers of a cluster); None for fewer than two."""
    kinds = Counter(clusters)
    total = kinds.total()
    if total < 2:
        return None
    table = np.array(sorted(kinds), dtype=np.float64)  # (kinds, numbers)
    shares = np.array([kinds[kind] for kind in sorted(kinds)]) / total
    generator = np.random.default_rng(seed)
    step = max(1, _CELLS_AT_ONCE // len(kinds))
    sums = np.empty((draws, table.shape[1]))
    for start in range(0, draws, step):
        sums[start : start + step] = generator.multinomial(total, shares, size=min(step, draws - start)) @ table
    return sums


def _middle(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """What holds the middle 95 % of the values."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return float(low), float(high)
