"""Places of people who stand in pairs or talk to somebody out of the picture, and of furniture between people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from socialcli.synth.places import APART, DIRECTIONS, Points, direction_gaps, person_height
from socialcli.synth.rooms import HORIZON, furniture_size
from socialcli.synth.world import World

_BESIDE, _ABOVE, _BELOW = 0.45, 1.25, 0.05  # margins of places in the frame, in a person's height
_MOVES = 600  # attempts to improve the places
_BODY = 0.3  # half the width of a person without the pointing arm, in a person's height
_SPOTS = 200  # places tried for a piece of furniture


def pair_places(world: World, aside: float, behind: float, rng: np.random.Generator) -> Points:
    """The feet of the world's people, (people, 2) in pixels, who stand two by two; a last odd one stands alone.

    The two of a pair are `aside` beside and `behind` behind each other, in a person's height.
    """
    count, height = len(world.people), person_height(world.size, len(world.people))
    member = rng.permutation(count)
    pair = np.empty(count, dtype=int)
    offset = np.zeros((count, 2))
    for place, person in enumerate(member):
        pair[person] = place // 2
        if place ^ 1 < count:
            offset[person] = np.array([aside, behind]) * height * (0.5 if place % 2 else -0.5)

    def feet(anchors: Points) -> Points:
        return anchors[pair] + offset

    def quality(anchors: Points) -> float:
        found = feet(anchors)
        gaps = (np.abs(found[None] - found[:, None]) / (np.array(APART) * height)).max(axis=-1)
        gaps[pair[:, None] == pair[None, :]] = np.inf
        return min(float(gaps.min()), float(direction_gaps(found).min()) / DIRECTIONS)

    beside = max(_BESIDE, _BODY + aside / 2)
    return feet(_climb((count + 1) // 2, world.size, height, beside, quality, rng))


def places_around(world: World, outside: tuple[float, float], rng: np.random.Generator) -> Points:
    """Feet for all people of the world, apart from each other and in other directions than the point `outside`."""
    count, height = len(world.people), person_height(world.size, len(world.people))

    def quality(places: Points) -> float:
        gaps = (np.abs(places[None] - places[:, None]) / (np.array(APART) * height)).max(axis=-1)
        np.fill_diagonal(gaps, np.inf)
        seen = direction_gaps(np.vstack([places, outside]))[:-1]  # nobody sees how the one outside sees the others
        return min(float(gaps.min()), float(seen.min()) / DIRECTIONS)

    return _climb(count, world.size, height, _BESIDE, quality, rng)


def _climb(
    count: int,
    size: tuple[int, int],
    height: float,
    beside: float,
    quality: Callable[[Points], float],
    rng: np.random.Generator,
) -> Points:
    """Places (count, 2) that move one at a time while that improves their quality, until it is 1."""
    low = np.array([beside, _ABOVE]) * height
    high = np.array(size) - np.array([beside, _BELOW]) * height
    places = rng.uniform(low, high, (count, 2))
    best = quality(places)
    for _ in range(_MOVES):
        if best >= 1:
            break
        moved = places.copy()
        moved[rng.integers(count)] = rng.uniform(low, high)
        found = quality(moved)
        if found >= best:
            places, best = moved, found
    return places


def free_spots(world: World, count: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Feet of `count` pieces of furniture, in shares of the frame: where people and other pieces leave most room."""
    side = furniture_size(world.size)
    low = np.array([side, (HORIZON + 0.02) * world.size[1] + side])
    high = np.array([world.size[0] - side, world.size[1] - 0.2 * side])
    taken = [(one.foot[0], one.foot[1] - one.height / 2, _BODY * one.height, one.height / 2) for one in world.people]
    spots = []
    for _ in range(count):
        tried = rng.uniform(low, high, (_SPOTS, 2))
        x, y, across, up = np.array(taken).T
        beside = np.abs(tried[:, :1] - x) - across - side / 2
        above = np.abs(tried[:, 1:] - side / 2 - y) - up - side / 2
        chosen = tried[int(np.maximum(beside, above).min(axis=1).argmax())]
        taken.append((chosen[0], chosen[1] - side / 2, side / 2, side / 2))
        spots.append((float(chosen[0]) / world.size[0], float(chosen[1]) / world.size[1]))
    return spots
