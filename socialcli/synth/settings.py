"""The settings of a world, and the random streams that it is drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from socialcli.errors import UsageError

HARMS = ("thing", "background", "bystander", "off-screen", "side-by-side", "overlap")
"""The kinds of harm sets: scenes in which the alignment has no business, or a hard time. See `synth.harm`."""

_HARM_COLOURS = {"thing": 2, "background": 2, "bystander": 1}
"""The colours of shirts that a kind needs beside those that people wear: for two things, or another person."""

SPLITS = (("train", 0.8), ("validation", 0.1), ("test", 0.1))

_STREAMS = ("world", "story", "boxes", "harm world", "harm questions", "talk", "shots", "lips")
# Append only: places are part of a seed.
_COLOURS = 12  # of shirts

Stream = Literal["world", "story", "boxes", "harm world", "harm questions", "talk", "shots", "lips"]

Audio = Literal["voice", "espeak"]

AUDIO_DEFAULTS: Mapping[str, Any] = {"fps": 25, "size": (672, 672)}
"""Settings of a world that speaks, unless given: lips and faces show."""

_LIPS_FPS = 10  # frames a second without which syllables do not show

_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class SynthSettings:
    """The settings that all episodes of a world share."""

    people: tuple[int, int] = (4, 4)  # least and most speakers per episode
    turns: int = 1  # utterances per speaker
    distractors: int = 0  # people who never speak and have no boxes
    frames: int = 16  # per clip
    fps: int = 4
    size: tuple[int, int] = (336, 336)  # width, height in pixels; both even, as H.264 requires
    box_jitter: float = 0.0  # pixels; each edge of a box is moved by at most this
    missing_boxes: float = 0.0  # share of the boxes to drop
    splits: tuple[tuple[str, float], ...] = SPLITS  # names and shares, which add up to 1
    harm: tuple[str, ...] = ()  # kinds of `HARMS`, which episodes take in turns; none: ordinary episodes
    audio: Audio | None = None  # what speaks; the clip is then as long as its speech, not `frames`
    shots: int = 1  # per clip with `audio`
    listeners_move: float = 0.0  # share of the listeners' stretches with a moving mouth, with `audio`

    def check(self) -> None:
        """Raise UsageError if options contradict, utterances lack frames, or the people of a harm set colours."""
        if self.audio:
            self._check_audio()
        elif self.shots > 1 or self.listeners_move > 0:
            option = "--shots" if self.shots > 1 else "--listeners-move"
            raise UsageError(f"{option} needs a world that speaks; add --audio")
        else:
            self._check_frames()
        self._check_harm()

    def _check_audio(self) -> None:
        if self.harm:
            raise UsageError("--harm: its scenes are silent; leave out --audio")
        if self.fps < _LIPS_FPS:
            raise UsageError(f"--fps {self.fps}: lips that speak need {_LIPS_FPS} frames a second or more")

    def _check_frames(self) -> None:
        utterances = self.people[1] * self.turns
        if self.frames < utterances:
            raise UsageError(
                f"--frames {self.frames}: {utterances} utterances need a frame each; use more frames, "
                "or fewer people or turns"
            )

    def _check_harm(self) -> None:
        if self.harm and self.people[0] < 3:
            raise UsageError(f"--harm {self.harm[0]}: its questions need 3 people or more; use --people 3 or more")
        unknown = [kind for kind in self.harm if kind not in HARMS]
        if unknown:
            raise UsageError(f"--harm {unknown[0]}: unknown kind; use {', '.join(HARMS)} or all")
        crowd = self.people[1] + self.distractors
        for kind in self.harm:
            needed = _HARM_COLOURS.get(kind, 0)
            if crowd + needed > _COLOURS:
                raise UsageError(
                    f"--harm {kind}: {crowd} people leave fewer than {needed} of {_COLOURS} colours; use --people and "
                    f"--distractors with at most {_COLOURS - needed} people together"
                )

    def harm_of(self, index: int) -> str | None:
        """The kind of episode `index`; None for an ordinary one."""
        return self.harm[index % len(self.harm)] if self.harm else None


def stream(seed: int, index: int, part: Stream) -> np.random.Generator:
    """The random stream of one part of episode `index`, independent of all other parts and episodes."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index, _STREAMS.index(part))))


def split_of(index: int, splits: tuple[tuple[str, float], ...]) -> str:
    """The split of episode `index`, independent of the seed and the number of episodes.

    Multiples of the golden ratio fill the unit interval evenly, so the first N episodes keep the shares for any N.
    """
    place = (0.5 + index * _GOLDEN) % 1.0
    for name, share in splits:
        place -= share
        if place < 0:
            return name
    return splits[-1][0]  # rounding can make the shares add up to slightly less than 1
