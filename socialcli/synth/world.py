"""The visible part of an episode: people in a room who all point at each other, all the time.

It does not show who speaks. In every stretch of the clip somebody speaks and everybody points at somebody else; the
questions are only about the speaker's gesture.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

import numpy as np

from socialcli.synth.appearance import Look, draw_looks
from socialcli.synth.places import draw_places, person_height
from socialcli.synth.poses import Point, Pose, chest
from socialcli.synth.rooms import Room, draw_room
from socialcli.synth.settings import SynthSettings

_HEIGHTS = (0.88, 1.12)  # relative heights of the smallest and the tallest person
_SWAY = (0.025, 0.012)  # how far people move sideways, and up and down, as shares of their height
_SWAY_SECONDS = 2.9


@dataclass(frozen=True, slots=True)
class Person:
    """A person in the room. `foot` is the midpoint of the soles, in pixels, without swaying."""

    look: Look
    foot: Point
    height: float  # pixels, from the soles to the crown
    phase: float  # of the sway, radians


@dataclass(frozen=True, slots=True)
class World:
    """Everything visible. The first `speakers` people are the speakers; nobody points at the others."""

    room: Room
    size: tuple[int, int]
    frames: int
    fps: int
    people: tuple[Person, ...]
    speakers: int
    gestures: tuple[tuple[int, ...], ...]  # for each stretch, the person at whom each person points
    starts: tuple[int, ...] = ()  # the first frame of each stretch; none: all are equally long, up to whole frames

    def in_picture(self, person: int) -> bool:
        """Whether a person's shirt is in the frame."""
        x, y = chest(self.people[person].foot, self.people[person].height)
        return 0 <= x <= self.size[0] and 0 <= y <= self.size[1]

    def stretch(self, frame: int) -> int:
        """The stretch, from 0, of a frame."""
        if self.starts:
            return bisect.bisect_right(self.starts, frame) - 1
        return frame * len(self.gestures) // self.frames

    def frames_of(self, stretch: int) -> range:
        """The frames of a stretch."""
        if self.starts:
            first, end = (*self.starts, self.frames)[stretch : stretch + 2]
            return range(first, end)
        first, end = (-(-number * self.frames // len(self.gestures)) for number in (stretch, stretch + 1))
        return range(first, end)

    def poses(self, frame: int) -> tuple[Pose, ...]:
        """Everybody's pose in a frame."""
        feet = [_foot(person, frame / self.fps) for person in self.people]
        chests = [chest(foot, person.height) for foot, person in zip(feet, self.people, strict=True)]
        meant = self.gestures[self.stretch(frame)]
        return tuple(
            Pose(foot, person.height, chests[other])
            for foot, person, other in zip(feet, self.people, meant, strict=True)
        )


def draw_world(settings: SynthSettings, rng: np.random.Generator) -> World:
    """A random world with one stretch per utterance."""
    fewest, most = settings.people
    speakers = int(rng.integers(fewest, most + 1))
    count = speakers + settings.distractors
    places = draw_places(count, settings.size, rng)
    heights = person_height(settings.size, count) * rng.permutation(np.linspace(*_HEIGHTS, count))
    phases = rng.uniform(0, 2 * math.pi, count)
    people = tuple(
        Person(look, (float(x), float(y)), float(height), float(phase))
        for look, (x, y), height, phase in zip(draw_looks(count, rng), places, heights, phases, strict=True)
    )
    gestures = tuple(_gestures(count, speakers, rng) for _ in range(speakers * settings.turns))
    room = draw_room(rng)
    return World(room, settings.size, settings.frames, settings.fps, people, speakers, gestures)


def _gestures(count: int, speakers: int, rng: np.random.Generator) -> tuple[int, ...]:
    """The person at whom each of `count` people points: any of the first `speakers` except themselves, uniformly."""
    meant = []
    for person in range(count):
        others = [other for other in range(speakers) if other != person]
        meant.append(others[int(rng.integers(len(others)))])
    return tuple(meant)


def _foot(person: Person, seconds: float) -> Point:
    angle = person.phase + 2 * math.pi * seconds / _SWAY_SECONDS
    x, y = person.foot
    return x + _SWAY[0] * person.height * math.sin(angle), y + _SWAY[1] * person.height * math.cos(1.7 * angle)
