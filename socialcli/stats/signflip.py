"""Tests whether two conditions differ by more than chance on the same questions: signs flipped by episode, exactly."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

_EXACT_TOSSES = 1000  # of more, binomial coefficients come from logarithms: whole numbers of that size are slow

_Chances = npt.NDArray[np.float64]


def sign_flip_p(differences: Iterable[int]) -> float:
    """The two-sided p-value of the total of `differences`, one for each episode: B's correct answers less A's.

    If A and B were equally good, their answers could change places in any episode as a whole, which turns the sign of
    its difference. The p-value is the share of all choices of signs under which the total is at least as far from 0 as
    the observed one, ties included. It holds whatever the correlation of the questions in an episode, and for any
    number of episodes: a true null is rejected at level x with a probability of at most x. (Fisher, "The design of
    experiments", 1935, section 21; Winkler et al., "Permutation inference for the general linear model", NeuroImage 92,
    2014, for exchanging whole blocks.)

    With k episodes that differ there are 2^k choices, so that p is never below 2^(1 - k). They are not drawn but
    counted: the total under a choice of signs is the sum of all sizes minus twice the sum of those made negative. The
    distribution of the latter is the convolution of one binomial distribution per size. Without a difference in total
    p is 1; below about 1e-308 it is 0. Time grows with episodes times the sum of sizes, memory with that sum alone.
    """
    found = [int(difference) for difference in differences if difference]
    total = abs(sum(found))
    if not total:
        return 1.0
    reach = (sum(map(abs, found)) - total) // 2  # the most that can be made negative with at least `total` left over
    chances = np.ones(1)
    for size, count in sorted(Counter(map(abs, found)).items()):
        chances = _flipping(chances, size, count, reach)
    return min(1.0, 2 * float(chances.sum()))  # the other side is its mirror image


def least_p(episodes: int) -> float:
    """The smallest p-value that `episodes` which differ can give."""
    return min(1.0, 2.0 ** (1 - episodes))


def _flipping(chances: _Chances, size: int, count: int, reach: int) -> _Chances:
    """The chances of each sum of flipped differences up to `reach`, with `count` more differences of a `size`."""
    sums = np.zeros(min(len(chances) + size * count, reach + 1))
    for flipped, chance in enumerate(_heads(count, min(count, reach // size))):
        start = flipped * size
        stop = min(start + len(chances), len(sums))
        sums[start:stop] += chance * chances[: stop - start]
    return sums


def _heads(count: int, most: int) -> list[float]:
    """The chances of 0 to `most` heads in `count` tosses of a fair coin."""
    if count <= _EXACT_TOSSES:
        return [math.comb(count, heads) / 2**count for heads in range(most + 1)]
    ends = [math.lgamma(heads + 1) + math.lgamma(count - heads + 1) for heads in range(most + 1)]
    whole = math.lgamma(count + 1) - count * math.log(2)
    return [math.exp(whole - end) for end in ends]
