"""The kinds of harm sets: how each changes a world, and what it asks.

What a kind changes comes from random streams of its own, so an episode of a kind is the ordinary episode of the same
seed and index, changed. In four kinds the questions on shirts (task `videoqa`) give way to those of the kind, whose
answers can be seen without the boxes; the questions on utterances remain, as a control on the same clips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from socialcli.episodes.records import Question, Speaker
from socialcli.synth.appearance import SHIRTS
from socialcli.synth.harm.places import free_spots, pair_places, places_around
from socialcli.synth.places import Points
from socialcli.synth.questions import meanings, questions, speaker_id
from socialcli.synth.rooms import Furniture
from socialcli.synth.story import Story
from socialcli.synth.world import World
from socialcli.tasks.labels import speaker_labels

FURNITURE = ("lamp", "basket")
SIDES: Mapping[str, tuple[float, float]] = {"left": (-1.0, 0.7), "right": (2.0, 0.7), "front": (0.5, 2.5)}
"""Where somebody out of the picture stands: the feet, in shares of the frame."""

_SIDE_BY_SIDE, _OVERLAP = (0.72, 0.0), (0.3, 0.14)  # beside and behind each other, in a person's height
_OUTSIDE = 0.5  # share of the gestures that point out of the picture

Asked = tuple[str, list[str], str]  # text, candidates, answer


@dataclass(frozen=True, slots=True)
class HarmKind:
    """A kind of harm set.

    `stage` changes the world. `ask` gives the questions of `videoqa`; None: the ordinary ones. `bystanders` is the
    number of additional people without boxes.
    """

    name: str
    summary: str
    stage: Callable[[World, np.random.Generator], World]
    ask: Callable[[World, Story, np.random.Generator], Iterator[Asked]] | None = None
    bystanders: int = 0


def harm_questions(
    kind: HarmKind, episode: str, world: World, story: Story, rng: np.random.Generator
) -> tuple[Question, ...]:
    """All questions of an episode of this kind; candidates in random order."""
    if kind.ask is None:
        return questions(episode, world, story)
    asked = []
    for place, (text, candidates, answer) in enumerate(kind.ask(world, story, rng), start=1):
        shuffled = tuple(str(one) for one in rng.permutation(candidates))
        asked.append(Question(f"{episode}/videoqa-{place}", "videoqa", text=text, candidates=shuffled, answer=answer))
    return (*asked, *meanings(episode, world, story))


def _furnish(world: World, rng: np.random.Generator) -> World:
    """Put a lamp and a basket between the people, in colours that nobody wears."""
    colours = _unworn(world, rng)
    spots = free_spots(world, len(FURNITURE), rng)
    pieces = (Furniture(kind, SHIRTS[colours.pop()], spot) for kind, spot in zip(FURNITURE, spots, strict=True))
    return replace(world, room=replace(world.room, furniture=tuple(pieces)))


def _ask_things(world: World, story: Story, rng: np.random.Generator) -> Iterator[Asked]:
    yield from _ask_colours({piece.kind: piece.colour for piece in world.room.furniture}, world, rng)


def _paint(world: World, rng: np.random.Generator) -> World:
    """Give the wall and the rug colours that nobody wears."""
    wall, rug = (SHIRTS[colour] for colour in _unworn(world, rng)[:2])
    return replace(world, room=replace(world.room, wall=wall, rug_colour=rug))


def _ask_background(world: World, story: Story, rng: np.random.Generator) -> Iterator[Asked]:
    yield from _ask_colours({"wall": world.room.wall, "rug": world.room.rug_colour or ""}, world, rng)


def _ask_colours(things: Mapping[str, str], world: World, rng: np.random.Generator) -> Iterator[Asked]:
    """What is the colour of each thing? The candidates are the things' colours and those of two speakers' shirts."""
    names = {colour: name for name, colour in SHIRTS.items()}
    shown = {thing: names[colour] for thing, colour in things.items()}
    for thing in (str(one) for one in rng.permutation(list(shown))):
        yield f"What is the colour of the {thing}?", [*shown.values(), *_shirts(world, 2, rng)], shown[thing]


def _crown(world: World, rng: np.random.Generator) -> World:
    """Put a hat on the last person, a bystander; nobody points at a bystander."""
    *others, last = world.people
    return replace(world, people=(*others, replace(last, look=replace(last.look, hat=True))))


def _ask_bystander(world: World, story: Story, rng: np.random.Generator) -> Iterator[Asked]:
    """The candidates are the colours of the bystander's shirt and of three speakers'."""
    shirt = world.people[-1].look.shirt
    yield "What is the colour of the shirt with the hat?", [shirt, *_shirts(world, 3, rng)], shirt


def _send_out(world: World, rng: np.random.Generator) -> World:
    """Put one speaker out of the picture, at whom the others point half of the time."""
    away = int(rng.integers(world.speakers))
    side = SIDES[list(SIDES)[int(rng.integers(len(SIDES)))]]
    outside = (side[0] * world.size[0], side[1] * world.size[1])
    moved = _moved(world, places_around(world, outside, rng))
    people = tuple(replace(one, foot=outside) if who == away else one for who, one in enumerate(moved.people))
    gestures = tuple(
        tuple(_aim(world.speakers, who, meant, away, rng) for who, meant in enumerate(stretch))
        for stretch in world.gestures
    )
    return replace(world, people=people, gestures=gestures)


def _aim(speakers: int, who: int, meant: int, away: int, rng: np.random.Generator) -> int:
    """At whom somebody points in a world with a speaker out of the picture, who goes on pointing as before."""
    if who == away:
        return meant
    others = [other for other in range(speakers) if other not in (who, away)]
    chosen = others[int(rng.integers(len(others)))]
    return away if rng.random() < _OUTSIDE else chosen


def _ask_side(world: World, story: Story, rng: np.random.Generator) -> Iterator[Asked]:
    """Where is the speaker who is not in the picture? The others' arms show it."""
    labels = speaker_labels([Speaker(speaker_id(number)) for number in range(len(story.cast))], named=False)
    (away,) = (number for number, person in enumerate(story.cast) if not world.in_picture(person))
    x, y = world.people[story.cast[away]].foot
    place = (x / world.size[0], y / world.size[1])
    side = min(SIDES, key=lambda name: float(np.hypot(*np.subtract(SIDES[name], place))))
    yield f"{labels[speaker_id(away)]} is out of the picture. Where?", list(SIDES), side


def _stand_beside(world: World, rng: np.random.Generator) -> World:
    return _moved(world, pair_places(world, *_SIDE_BY_SIDE, rng))


def _stand_in_front(world: World, rng: np.random.Generator) -> World:
    return _moved(world, pair_places(world, *_OVERLAP, rng))


def _moved(world: World, feet: Points) -> World:
    people = (replace(one, foot=(float(x), float(y))) for one, (x, y) in zip(world.people, feet.tolist(), strict=True))
    return replace(world, people=tuple(people))


def _unworn(world: World, rng: np.random.Generator) -> list[str]:
    """The colours that nobody wears, in random order."""
    worn = {person.look.shirt for person in world.people}
    return [str(colour) for colour in rng.permutation([colour for colour in SHIRTS if colour not in worn])]


def _shirts(world: World, count: int, rng: np.random.Generator) -> list[str]:
    """The colours of the shirts of some speakers."""
    return [world.people[person].look.shirt for person in rng.permutation(world.speakers)[:count]]


KINDS: Mapping[str, HarmKind] = {
    kind.name: kind
    for kind in (
        HarmKind("thing", "the colour of a lamp or a basket", _furnish, _ask_things),
        HarmKind("background", "the colour of the wall or the rug", _paint, _ask_background),
        HarmKind("bystander", "the shirt of somebody without a box, who has a hat", _crown, _ask_bystander, 1),
        HarmKind("off-screen", "where somebody out of the picture is", _send_out, _ask_side),
        HarmKind("side-by-side", "the ordinary questions; people stand shoulder to shoulder", _stand_beside),
        HarmKind("overlap", "the ordinary questions; people stand in front of each other", _stand_in_front),
    )
}
"""The kinds by name, in the order of `socialcli.synth.settings.HARMS`."""
