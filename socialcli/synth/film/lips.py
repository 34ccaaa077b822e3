"""Everybody's lips in every frame: those of the speaker follow the sound, the others' are shut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socialcli.synth.film.faces import Mouth
from socialcli.synth.speech.spoken import STEPS
from socialcli.synth.speech.talk import Talk
from socialcli.synth.story import Story
from socialcli.synth.world import World

_CHEW_HZ, _CHEW = 1.4, 0.3  # how often and how far a mouth opens that chews
_SMILE = 0.9

Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Lips:
    """Openings and smiles, both (frames, people) from 0 to 1."""

    openings: Shares
    smiles: Shares

    def mouth(self, frame: int, person: int) -> Mouth:
        """A person's mouth in a frame."""
        return Mouth(float(self.openings[frame, person]), float(self.smiles[frame, person]))


def draw_lips(world: World, story: Story, talk: Talk, listeners: float, rng: np.random.Generator) -> Lips:
    """Everybody's lips. In each stretch, each listener chews or smiles with probability `listeners`."""
    openings, smiles = np.zeros((2, world.frames, len(world.people)))
    for place, line in enumerate(story.lines):
        speaker = story.cast[line.speaker]
        openings[:, speaker] += _spoken(world, talk, place)
        for person in range(len(world.people)):
            moves, smile = rng.random(2) < (listeners, 0.5)
            if person == speaker or not moves:
                continue
            frames = world.frames_of(place)
            seconds = np.arange(len(frames)) / world.fps
            if smile:
                smiles[frames.start : frames.stop, person] = _SMILE * np.hanning(len(frames))
            else:
                chewed = _CHEW * (1 - np.cos(2 * np.pi * _CHEW_HZ * seconds)) / 2
                openings[frames.start : frames.stop, person] = chewed
    return Lips(openings, smiles)


def _spoken(world: World, talk: Talk, place: int) -> Shares:
    """The opening of the mouth that says sentence `place`, its mean over the time of each frame: (frames,)."""
    opening = talk.spoken[place].opening
    whole = np.zeros(round(world.frames / world.fps * STEPS) + 1)
    first = round(talk.starts[place] * STEPS)
    whole[first : first + len(opening)] = opening
    edges = np.arange(world.frames) * STEPS // world.fps
    sums = np.add.reduceat(whole, edges)
    spoken: Shares = sums / np.diff(edges, append=len(whole))
    return spoken
