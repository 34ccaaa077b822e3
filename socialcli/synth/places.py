"""Place people at random, apart from each other and in distinct directions as seen from one another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

APART = (0.95, 1.04)  # least distance in a person's height: side by side, or one behind the other
DIRECTIONS = 26.0  # least degrees between two people as seen by a third, among four; less among more

_MOVES = 800  # attempts before a crowd stays as it is: more than eight people may stand closer
_MARGINS = (0.3, 1.22, 0.03)  # in a person's height: beside the frame's edges, above the highest feet, below the lowest

Points = npt.NDArray[np.float64]


def person_height(size: tuple[int, int], count: int) -> float:
    """The height of a medium-sized person in pixels; smaller if there are more than four people."""
    return 0.35 * min(size) * min(1.0, float((4 / count) ** 0.7))


def direction_gap(count: int) -> float:
    """The desired least angle, in degrees, between the directions in which a person sees any two others."""
    return float(DIRECTIONS * min(1.0, (3 / (count - 1)) ** 1.5))


def draw_places(count: int, size: tuple[int, int], rng: np.random.Generator) -> Points:
    """The feet of `count` people, (count, 2) in pixels. People move one at a time until all places are good."""
    height = person_height(size, count)
    side, above, below = (share * height for share in _MARGINS)
    low, high = np.array([side, above]), np.array([size[0] - side, size[1] - below])
    places = rng.uniform(low, high, (count, 2))
    quality = _quality(places, height)
    for _ in range(_MOVES):
        if quality >= 1:
            break
        moved = places.copy()
        moved[rng.integers(count)] = rng.uniform(low, high)
        found = _quality(moved, height)
        if found >= quality:
            places, quality = moved, found
    return places


def direction_gaps(points: Points) -> Points:
    """For each of the points (n, 2), the least angle in degrees between two other points as seen from it: (n,)."""
    count = len(points)
    to = points[None, :, :] - points[:, None, :]  # [i, j]: from point i to point j
    angles = np.arctan2(to[..., 1], to[..., 0])
    between = np.abs((angles[:, :, None] - angles[:, None, :] + np.pi) % (2 * np.pi) - np.pi)
    one = np.arange(count)
    between[:, one, one] = between[one, one, :] = between[one, :, one] = np.pi
    least: Points = np.degrees(between.min(axis=(1, 2)))
    return least


def _quality(places: Points, height: float) -> float:
    """1 or more if nobody stands too close to another person or in somebody's line of sight to one."""
    to = np.abs(places[None, :, :] - places[:, None, :]) / (np.array(APART) * height)
    gaps = to.max(axis=-1)
    np.fill_diagonal(gaps, np.inf)
    return min(float(gaps.min()), float(direction_gaps(places).min()) / direction_gap(len(places)))
