"""95 % intervals of an accuracy, of a difference between two, and of a ratio, when data come in clusters (episodes).

Questions on one clip share its people, words and pictures, so their answers are not independent. All intervals take
the variance from the spread of whole clusters (the linearised or "sandwich" variance of a ratio) and their width from
Student's t, whose degrees of freedom count clusters, not questions. docs/statistics.md derives them, names the sources,
and shows in a simulation how often they cover the truth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

CONFIDENCE = 0.95
# Answers that are all alike do not show how those of one episode correlate. This is a common guess in surveys.
ASSUMED_CORRELATION = 0.1
# A share of the variance of as many independent questions: clusters that happen to be alike make it far too small.
LEAST_VARIANCE = 0.25

_TAIL = (1 - CONFIDENCE) / 2

_Counts = npt.NDArray[np.float64]


def accuracy_interval(clusters: Iterable[tuple[int, int]], repeats: float = 1.0) -> tuple[float, float] | None:
    """The 95 % interval of an accuracy over `clusters` of (answers, correct ones); None for fewer than two.

    `repeats` is the mean number of answers to a question: where the spread of the clusters does not decide, all of them
    count as one.

    A cluster-robust t interval on the logit scale, around the logit of (correct + 1/2) / (questions + 1), which is
    less biased near 0 and 1 (Anscombe, "On estimating binomial response relations", Biometrika 43, 1956). Where every
    answer is right, or every one wrong, it is the exact binomial bound of as many independent questions as these are
    worth (Korn & Graubard, "Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data", Survey Methodology 24, 1998).
    """
    sizes, correct = _columns(clusters, 2) / repeats  # in questions: the spread has no unit, its lower limit has
    if sizes.size < 2:
        return None
    n, right = float(sizes.sum()), float(correct.sum())
    if right in (0, n):
        bound = _least_share(sizes)
        return (bound, 1.0) if right else (0.0, 1.0 - bound)
    share = right / n
    independent = share * (1 - share)
    error = math.sqrt(_variance(correct, sizes, independent)) / independent
    centre, reach = math.log((right + 0.5) / (n - right + 0.5)), _t_quantile(sizes) * error
    return _share(centre - reach), _share(centre + reach)


def difference_interval(clusters: Iterable[tuple[int, int, int]], repeats: float = 1.0) -> tuple[float, float] | None:
    """The 95 % interval of the difference between two accuracies on the same questions; None for fewer than two.

    `clusters` are (answers, those that A alone has right, those that B alone has right), `repeats` as for an accuracy,
    and the difference is B's accuracy less A's, -1 to 1. A cluster-robust t interval: what makes an episode hard for
    both sides cancels out. Where no question differs, or all do in the same direction, it is the exact binomial
    bound on those that do, or do not, of as many independent questions as these are worth.
    """
    sizes, only_a, only_b = _columns(clusters, 3) / repeats
    if sizes.size < 2:
        return None
    n, net = float(sizes.sum()), only_b - only_a
    difference, differing = float(net.sum()) / n, float((only_a + only_b).sum()) / n
    independent = differing - difference**2
    if differing == 0 or abs(difference) == 1:
        missed = 1 - _least_share(sizes)
        low, high = (-missed, missed) if differing == 0 else (1 - 2 * missed, 1.0)
        return (low, high) if difference >= 0 else (-high, -low)
    reach = _t_quantile(sizes) * math.sqrt(_variance(net, sizes, independent))
    return max(-1.0, difference - reach), min(1.0, difference + reach)


def ratio_interval(clusters: Iterable[tuple[float, float]]) -> tuple[float, float] | None:
    """The 95 % interval of sum(amounts) / sum(sizes) over `clusters` of (size, amount), such as an error rate in time.

    A cluster-robust t interval, without limits: such a ratio may exceed 1, or lie below 0. None for fewer than two
    clusters of a size above 0, and where all have the same ratio: their spread is then no measure of the uncertainty.
    """
    sizes, amounts = np.array(list(clusters), dtype=np.float64).reshape(-1, 2).T
    if (sizes > 0).sum() < 2:
        return None
    ratio = float(amounts.sum() / sizes.sum())
    if np.allclose(amounts, ratio * sizes, rtol=1e-9, atol=1e-9):
        return None
    reach = _t_quantile(sizes) * math.sqrt(_variance(amounts, sizes, 0.0))
    return ratio - reach, ratio + reach


def _variance(totals: _Counts, sizes: _Counts, independent: float) -> float:
    """The variance of sum(totals) / sum(sizes); `independent` is that of a single question.

        sum over clusters of (total - ratio * size)^2 / (n^2 - sum of size^2)

    The divisor makes it unbiased for independent questions; with G clusters of one size it is the usual factor
    G / (G - 1). (Bell & McCaffrey, "Bias reduction in standard errors for linear regression with multi-stage samples",
    Survey Methodology 28, 2002.)
    """
    n = float(sizes.sum())
    residuals = totals - (totals.sum() / n) * sizes
    robust = float(residuals @ residuals) / (n**2 - float(sizes @ sizes))
    return max(robust, LEAST_VARIANCE * independent / n)


def _t_quantile(sizes: _Counts) -> float:
    """The value that Student's t exceeds in 2.5 % of cases, at the degrees of freedom these cluster sizes are worth.

    G - 1 for G clusters of one size, fewer for unequal ones: those of the variance above by Satterthwaite's rule, for
    independent questions (Bell & McCaffrey 2002; Imbens & Kolesar, "Robust standard errors in small samples: some
    practical advice", Review of Economics and Statistics 98, 2016).
    """
    from scipy.special import stdtrit  # imported late: a run with nothing to do needs no scipy

    n, squares, cubes = (float((sizes**power).sum()) for power in (1, 2, 3))
    freedom = (n - squares / n) ** 2 / (squares - 2 * cubes / n + (squares / n) ** 2)
    return float(stdtrit(freedom, 1 - _TAIL))


def _least_share(sizes: _Counts) -> float:
    """The lower end where every answer was right: the exact (Clopper-Pearson) bound, 0.025^(1 / worth).

    Clusters of these sizes are worth n / (1 + correlation * (mean size - 1)) independent questions, the mean weighted
    by size (Kish, "Survey sampling", 1965), at the `ASSUMED_CORRELATION`.
    """
    n = float(sizes.sum())
    worth = n / (1 + ASSUMED_CORRELATION * (float(sizes @ sizes) / n - 1))
    return float(_TAIL ** (1 / worth))


def _share(logit: float) -> float:
    """The inverse of the logit, for numbers of any size."""
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0


def _columns(clusters: Iterable[Sequence[int]], width: int) -> _Counts:
    """The clusters' numbers, (width, clusters); without clusters that have no question."""
    found = [cluster for cluster in clusters if cluster[0]]
    return np.array(found, dtype=np.float64).reshape(-1, width).T
