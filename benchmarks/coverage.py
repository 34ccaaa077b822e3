"""Simulate how often the 95 % intervals cover the truth and how often the paired test rejects a true null hypothesis.

    python benchmarks/coverage.py                                    # the tables of docs/statistics.md
    python benchmarks/coverage.py --sizes skewed                     # a few episodes hold most of the questions
    python benchmarks/coverage.py --simulations 200 --episodes 20    # to try the script

Answers are drawn for episodes of equal and of unequal sizes. An episode's own accuracy is drawn from a beta
distribution, so that its answers correlate. For pairs, the sides share the draw in half of the episodes and have
separate draws in the others. socialcli's intervals and test are compared with what they replaced: the percentile
interval of a bootstrap of whole episodes, and McNemar's exact test. Prints Markdown; the same seed gives the same
tables. No network, no model.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from socialcli.stats.intervals import accuracy_interval, difference_interval
from socialcli.stats.mcnemar import mcnemar_p
from socialcli.stats.signflip import sign_flip_p

EPISODES = (5, 10, 20, 50, 100)
OTHER_ACCURACY = {0.35: 0.5, 0.7: 0.8, 0.95: 0.9}  # of B, if the sides are not equally good
SIZES = ("equal", "unequal", "skewed")
EQUAL_SIZE, UNEQUAL_SIZES = 8, (2, 14)  # questions per episode; unequal ones are spread evenly between these
SKEWED_SIZES, LARGE = (2, 40), 10  # one episode in ten has the second size
SHOWN_SIZES = {"equal": "8", "unequal": "2 to 14", "skewed": "2, some 40"}
SHARED = 0.5  # share of the episodes with the same accuracy on both sides
DRAWS = 1000  # of the bootstrap
LEVEL = 0.05
PROMISED = 0.92, 0.97  # the coverage that docs/statistics.md promises from 20 episodes on
ENOUGH_EPISODES, LARGEST_SIZE = 20, 0.06

Counts = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]
Interval = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Cell:
    """The distribution of the answers."""

    episodes: int
    sizing: str  # of the SIZES
    correlation: float
    accuracy: float

    @property
    def sizes(self) -> Counts:
        """The questions of each episode."""
        if self.sizing == "equal":
            return np.full(self.episodes, EQUAL_SIZE)
        if self.sizing == "skewed":
            return np.where(np.arange(self.episodes) < max(1, self.episodes // LARGE), *SKEWED_SIZES[::-1])
        low, high = UNEQUAL_SIZES
        steps = np.linspace(low, high, min(self.episodes, high - low + 1)).round().astype(np.int64)
        return np.resize(steps, self.episodes)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Answers of two sides: per simulation and episode, the questions that only one side, or both, answer correctly."""

    both: Counts
    only_a: Counts
    only_b: Counts


@dataclass(frozen=True, slots=True)
class Found:
    """Shares of the simulations in a cell: socialcli's own, then those of the reference methods."""

    accuracy: tuple[float, float]  # whose interval covers the truth
    same: tuple[float, float]  # the same for the difference between equally good sides
    other: tuple[float, float]  # and between unequal sides
    rejected: tuple[float, float]  # with p <= 0.05 for equally good sides


def draw(cell: Cell, other: float, simulations: int, rng: np.random.Generator) -> Drawn:
    """Draw answers of A, of the cell's accuracy, and of B, of the accuracy `other`; arrays (simulations, episodes)."""
    shape = simulations, cell.episodes
    of_a = rng.random(shape)
    of_b = np.where(rng.random(shape) < SHARED, of_a, rng.random(shape))
    a, b = _own_accuracy(cell.accuracy, cell.correlation, of_a), _own_accuracy(other, cell.correlation, of_b)
    kinds = np.stack([a * b, a * (1 - b), b * (1 - a), (1 - a) * (1 - b)], axis=-1)
    counts = rng.multinomial(cell.sizes, kinds)
    return Drawn(*(counts[..., kind] for kind in range(3)))


def _own_accuracy(mean: float, correlation: float, uniform: Shares) -> Shares:
    """Each episode's accuracy: beta distributed, so that two of its answers correlate by `correlation`."""
    if not correlation:
        return np.full_like(uniform, mean)
    weight = (1 - correlation) / correlation
    found: Shares = betaincinv(weight * mean, weight * (1 - mean), uniform)
    return found


def simulate(cell: Cell, simulations: int, seed: int) -> Found:
    """Simulate a cell. The draws depend only on the seed and the cell."""
    rng = np.random.default_rng(
        [seed, cell.episodes, SIZES.index(cell.sizing), round(100 * cell.correlation), round(100 * cell.accuracy)]
    )
    other = OTHER_ACCURACY[cell.accuracy]
    same, apart = draw(cell, cell.accuracy, simulations, rng), draw(cell, other, simulations, rng)
    right = same.both + same.only_a
    weights = rng.multinomial(cell.episodes, np.full(cell.episodes, 1 / cell.episodes), size=DRAWS)

    def covered(truth: float, totals: Counts, own: Callable[[int], Interval]) -> tuple[float, float]:
        ours = np.mean([_holds(own(number), truth) for number in range(simulations)])
        return float(ours), _bootstrap_coverage(truth, totals, cell.sizes, weights)

    return Found(
        accuracy=covered(cell.accuracy, right, lambda number: accuracy_interval(_rows(cell.sizes, right[number]))),
        same=covered(0.0, same.only_b - same.only_a, lambda number: _difference(cell, same, number)),
        other=covered(
            other - cell.accuracy, apart.only_b - apart.only_a, lambda number: _difference(cell, apart, number)
        ),
        rejected=_rejections(same),
    )


def _rejections(drawn: Drawn) -> tuple[float, float]:
    """How often the difference is significant: by sign flips per episode, and by McNemar's test."""
    flips = [sign_flip_p(row) for row in (drawn.only_b - drawn.only_a).tolist()]
    totals = zip(drawn.only_a.sum(axis=1).tolist(), drawn.only_b.sum(axis=1).tolist(), strict=True)
    coins = [mcnemar_p(only_a, only_b) for only_a, only_b in totals]
    return float(np.mean(np.array(flips) <= LEVEL)), float(np.mean(np.array(coins) <= LEVEL))


def _difference(cell: Cell, drawn: Drawn, number: int) -> Interval:
    return difference_interval(_rows(cell.sizes, drawn.only_a[number], drawn.only_b[number]))


def _rows(*columns: Counts) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _holds(interval: Interval, truth: float) -> bool:
    return interval is not None and interval[0] <= truth + 1e-12 and truth - 1e-12 <= interval[1]


def _bootstrap_coverage(truth: float, totals: Counts, sizes: Counts, weights: Counts) -> float:
    """How often the middle 95 % of resampled ratios contain the truth. All simulations share their resamples."""
    held = 0
    for part in np.array_split(totals, max(1, len(totals) // 500)):
        ratios = part @ weights.T / (weights @ sizes)
        low, high = np.quantile(ratios, (0.025, 0.975), axis=1)
        held += int(((low <= truth + 1e-12) & (truth - 1e-12 <= high)).sum())
    return held / len(totals)


def cells(episodes: Sequence[int], sizes: Sequence[str]) -> Iterator[Cell]:
    """The cells of the tables, in order."""
    for count, sizing, correlation, accuracy in product(episodes, sizes, (0.0, 0.2), OTHER_ACCURACY):
        yield Cell(count, sizing, correlation, accuracy)


def line(cell: Cell, found: Found) -> str:
    """A row of the large table; values that break the promise are bold."""
    promised = cell.episodes >= ENOUGH_EPISODES
    shown = [str(cell.episodes), SHOWN_SIZES[cell.sizing], str(cell.correlation), str(cell.accuracy)]
    for ours, before in (found.accuracy, found.same, found.other):
        broken = promised and not PROMISED[0] <= round(ours, 3) <= PROMISED[1]
        shown += [f"**{100 * ours:.1f}**" if broken else f"{100 * ours:.1f}", f"{100 * before:.1f}"]
    ours, before = found.rejected
    shown += [f"**{100 * ours:.1f}**" if ours > LARGEST_SIZE else f"{100 * ours:.1f}", f"{100 * before:.1f}"]
    return "| " + " | ".join(shown) + " |"


def ranges(episodes: int, found: Sequence[Found]) -> str:
    """A row of the small table: the smallest and the largest share over the cells with that many episodes."""
    columns = [(one.accuracy, one.same, one.other, one.rejected) for one in found]
    shown = [str(episodes)]
    for figures in zip(*columns, strict=True):
        for side in zip(*figures, strict=True):
            shown.append(f"{100 * min(side):.1f} to {100 * max(side):.1f}")
    return "| " + " | ".join(shown) + " |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--simulations", type=int, default=5000, help="per cell (default: %(default)s)")
    parser.add_argument(
        "--episodes", type=int, nargs="+", default=EPISODES, help="numbers of episodes (default: %(default)s)"
    )
    parser.add_argument(
        "--sizes", nargs="+", choices=SIZES, default=SIZES[:2], help="sizes of episodes (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: %(default)s)")
    options = parser.parse_args()
    found: dict[Cell, Found] = {}
    for cell in cells(options.episodes, options.sizes):
        print(cell, file=sys.stderr)
        found[cell] = simulate(cell, options.simulations, options.seed)
    columns = [
        "accuracy",
        "bootstrap",
        "equal sides",
        "bootstrap",
        "B differs",
        "bootstrap",
        "flips, p <= 0.05",
        "McNemar",
    ]
    head = ["episodes", *columns]
    print("| " + " | ".join(head) + " |\n" + "|---:" * len(head) + "|")
    for count in options.episodes:
        print(ranges(count, [one for cell, one in found.items() if cell.episodes == count]))
    head = ["episodes", "questions", "correlation", "true accuracy", *columns]
    print("\n| " + " | ".join(head) + " |\n" + "|---:" * len(head) + "|")
    print("\n".join(line(cell, one) for cell, one in found.items()))


if __name__ == "__main__":
    main()
