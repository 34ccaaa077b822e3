"""Shots of a clip: what the camera shows, from when to when, and who is on screen.

The first shot shows the whole room. Where the camera looks is drawn without regard to who speaks, so people also speak
off screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from socialcli.synth.poses import HEAD, Point, Pose, head
from socialcli.synth.world import Person, World

Framing = Literal["room", "few", "one"]

_CLOSE = (1.0, 1.1, 1.2, 1.35, 1.5)  # heights of the picture in a person's height, tried until it cuts no head
_FEW = (1.0, 1.1, 1.2, 1.35)  # sides of the picture, in those of the people's surroundings
_AROUND = (0.5, 0.25, 1.1)  # of a person among a few: beside the middle, above the soles, and up to, in the height
_EYES = 0.6  # share of the height that is in the middle of a close shot
_WIDEST = 0.8  # side of a picture of a few people, in the room's; a wider one hardly differs from the room
_MOST = 3  # people in a picture of a few
_ROOM = 0.25  # probability of the whole room in a later shot
_EVEN = 0.6  # share of the clip that is divided evenly among its shots
_OPENING = 1 / 8  # least share of the first shot: one of eight frames sampled from the clip shows the room
_MARGIN = 0.04  # around a head that is wholly in the picture, in a person's height: people sway


@dataclass(frozen=True, slots=True)
class View:
    """The part of the room that a picture shows: its upper left corner in pixels of the room, and the enlargement."""

    corner: Point = (0.0, 0.0)
    zoom: float = 1.0

    def pose(self, pose: Pose) -> Pose:
        """A pose in the room as a pose in the picture."""
        return replace(pose, foot=self.at(pose.foot), height=self.zoom * pose.height, aim=self.at(pose.aim))

    def at(self, point: Point) -> Point:
        """A point of the room in the picture."""
        return (point[0] - self.corner[0]) * self.zoom, (point[1] - self.corner[1]) * self.zoom


@dataclass(frozen=True, slots=True)
class Shot:
    """What the camera shows in frames `first` to `end` - 1; `people` are those on screen."""

    first: int
    end: int
    framing: Framing
    view: View
    people: frozenset[int]


def draw_shots(world: World, count: int, rng: np.random.Generator) -> tuple[Shot, ...]:
    """`count` shots of the world's clip, no two in a row with the same view. The first one shows the whole room.

    A person is on screen while the middle of the head is. Shots avoid cutting through a head. A clip with hardly more
    frames than shots has fewer.
    """
    edges = _cuts(world.frames, min(count, world.frames), rng)
    shots: list[Shot] = []
    for first, end in pairwise(edges):
        framing, view = _view(world, shots[-1].view, rng) if shots else ("room", View())
        shots.append(Shot(first, end, framing, view, _on_screen(world, view)))
    return tuple(shots)


def _cuts(frames: int, count: int, rng: np.random.Generator) -> list[int]:
    """The first frames of the shots, and the end of the last; every shot has a frame or more, so there may be fewer."""
    shares = _EVEN / count + (1 - _EVEN) * rng.dirichlet(np.ones(count))
    if count > 1 and shares[0] < _OPENING:
        shares[1:] *= (1 - _OPENING) / (1 - shares[0])
        shares[0] = _OPENING
    return sorted({0, *(round(share * frames) for share in np.cumsum(shares)[:-1].tolist()), frames})


def _view(world: World, before: View, rng: np.random.Generator) -> tuple[Framing, View]:
    """A view other than the one before: often on one person or a few, sometimes the whole room."""
    if rng.random() < _ROOM and before != View():
        return "room", View()
    few = [view for view in _views_of_few(world) if view != before and len(_on_screen(world, view)) <= _MOST]
    if few and rng.random() < 0.5:
        return "few", few[int(rng.integers(len(few)))]
    one = [view for view in (_close(world, person) for person in world.people) if view != before]
    return "one", one[int(rng.integers(len(one)))]


def _close(world: World, person: Person) -> View:
    """A view of one person from the knees or the hips up."""
    middle = (person.foot[0], person.foot[1] - _EYES * person.height)
    return _without_cut_heads(world, middle, [person.height * share for share in _CLOSE])


def _views_of_few(world: World) -> Iterator[View]:
    """Views of each two people that stand close enough, and of others there; none of everybody."""
    for place, one in enumerate(world.people):
        for other in world.people[place + 1 :]:
            xs = [person.foot[0] + side * _AROUND[0] * person.height for person in (one, other) for side in (-1, 1)]
            ys = [person.foot[1] - share * person.height for person in (one, other) for share in _AROUND[1:]]
            width, height = max(xs) - min(xs), max(ys) - min(ys)
            needed = max(width * world.size[1] / world.size[0], height)
            middle = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
            view = _without_cut_heads(world, middle, [needed * share for share in _FEW])
            if view.zoom >= 1 / _WIDEST and len(_on_screen(world, view)) < len(world.people):
                yield view


def _without_cut_heads(world: World, middle: Point, heights: Sequence[float]) -> View:
    """A view of one of these heights around a point, inside the room: the first that cuts no head, or the first."""
    views = [_around(world, middle, height) for height in heights]
    return next((view for view in views if not _cuts_a_head(world, view)), views[0])


def _around(world: World, middle: Point, height: float) -> View:
    zoom = max(1.0, world.size[1] / height)
    x, y = (
        min(max(0.0, centre - side / zoom / 2), side - side / zoom)
        for centre, side in zip(middle, world.size, strict=True)
    )
    return View((x, y), zoom)


def _cuts_a_head(world: World, view: View) -> bool:
    width, height = world.size
    for person in world.people:
        margin = _MARGIN * person.height
        x0, y0, x1, y1 = head(person.foot, person.height)
        (x0, y0), (x1, y1) = view.at((x0 - margin, y0 - margin)), view.at((x1 + margin, y1 + margin))
        touches = x0 < width and x1 > 0 and y0 < height and y1 > 0
        inside = x0 >= 0 and x1 <= width and y0 >= 0 and y1 <= height
        if touches and not inside:
            return True
    return False


def _on_screen(world: World, view: View) -> frozenset[int]:
    width, height = world.size

    def seen(person: Person) -> bool:
        x, y = view.at((person.foot[0], person.foot[1] - HEAD[0] * person.height))
        return 0 <= x < width and 0 <= y < height

    return frozenset(place for place, person in enumerate(world.people) if seen(person))
