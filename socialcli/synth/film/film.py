"""The film of a world that speaks: its shots and everybody's lips."""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.synth.film.lips import Lips, draw_lips
from socialcli.synth.film.shots import Shot, draw_shots
from socialcli.synth.settings import SynthSettings, stream
from socialcli.synth.speech.talk import Talk
from socialcli.synth.story import Story
from socialcli.synth.world import World


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """The shots of a clip and the lips in its frames."""

    shots: tuple[Shot, ...]
    lips: Lips

    def shot(self, frame: int) -> Shot:
        """The shot of a frame."""
        return next(shot for shot in self.shots if frame < shot.end)

    def shows(self, world: World, stretch: int, person: int, meant: int) -> bool:
        """Whether both people are on screen together in half of the stretch or more."""
        frames = world.frames_of(stretch)
        together = sum(
            len(range(max(shot.first, frames.start), min(shot.end, frames.stop)))
            for shot in self.shots
            if {person, meant} <= shot.people
        )
        return 2 * together >= len(frames)


def draw_film(world: World, story: Story, talk: Talk, settings: SynthSettings, seed: int, index: int) -> Film:
    """The film of episode `index`."""
    return Film(
        draw_shots(world, settings.shots, stream(seed, index, "shots")),
        draw_lips(world, story, talk, settings.listeners_move, stream(seed, index, "lips")),
    )
