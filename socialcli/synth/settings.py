"""What a world looks like, and the random streams that it is drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from socialcli.errors import UsageError

SPLITS = (("train", 0.8), ("validation", 0.1), ("test", 0.1))

_STREAMS = ("world", "story", "boxes")
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class SynthSettings:
    """What every episode of a world has in common."""

    people: tuple[int, int] = (4, 4)  # the fewest and the most who speak in an episode
    turns: int = 1  # utterances of each
    distractors: int = 0  # people who never speak and have no boxes
    frames: int = 16  # of each clip
    fps: int = 4
    size: tuple[int, int] = (336, 336)  # width, height in pixels; both even, as H.264 wants them
    box_jitter: float = 0.0  # pixels by which each edge of a box is moved at most
    missing_boxes: float = 0.0  # share of the boxes that are left out
    splits: tuple[tuple[str, float], ...] = SPLITS  # names and shares, which add up to 1

    def check(self) -> None:
        """Raise UsageError where some utterance would have no frame to itself."""
        utterances = self.people[1] * self.turns
        if self.frames < utterances:
            raise UsageError(
                f"--frames {self.frames}: {utterances} utterances need a frame each; give more frames, "
                "or fewer people or turns"
            )


def stream(seed: int, index: int, part: Literal["world", "story", "boxes"]) -> np.random.Generator:
    """The random numbers of one part of episode `index`, which no other part or episode takes any from."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index, _STREAMS.index(part))))


def split_of(index: int, splits: tuple[tuple[str, float], ...]) -> str:
    """The split of episode `index`, whatever the seed and however many episodes there are.

    Multiples of the golden ratio fill the unit interval evenly, so that the first N episodes keep the shares for any N.
    """
    place = (0.5 + index * _GOLDEN) % 1.0
    for name, share in splits:
        place -= share
        if place < 0:
            return name
    return splits[-1][0]  # shares that add up to a little less than 1 by rounding
