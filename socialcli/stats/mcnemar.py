"""Tests whether two conditions differ by more than chance on the same questions: McNemar's exact test."""

from __future__ import annotations

import math

_NEGLIGIBLE = 1e-17  # a term of the sum that is smaller than this share of it changes no digit of a float


def mcnemar_p(only_a: int, only_b: int) -> float:
    """The two-sided p-value of `only_a` questions that only A has right, against `only_b` that only B has.

    If A and B were equally good, each question on which they disagree would fall to either side like a fair coin,
    independently of the others: an assumption that questions of one episode break (see `socialcli.stats.signflip`).
    (McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12, 1947; here with the binomial distribution itself in place of its approximation by chi-squared).
    The p-value is twice the probability of at most as many heads as the rarer side has, and never above 1:

        p = min(1, 2 * sum over i = 0 .. min(a, b) of C(a + b, i) / 2^(a + b))

    Without disagreement it is 1; below about 1e-308 it is 0. The largest term comes from logarithms of factorials, and
    each smaller one from its neighbour: no number grows with the count. With a million disagreements eight digits are
    correct; with fewer, more are.
    """
    count, rarer = only_a + only_b, min(only_a, only_b)
    largest = math.exp(_log_choose(count, rarer) - count * math.log(2))
    term = total = 1.0  # in units of the largest, C(count, rarer)
    for lower in range(rarer, 0, -1):
        term *= lower / (count - lower + 1)
        total += term
        if term < _NEGLIGIBLE * total:
            break
    return min(1.0, 2 * largest * total)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
