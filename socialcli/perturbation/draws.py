"""The random numbers of a perturbation: a number for each part of an annotation that may be wrong.

Each number is a hash of the seed, the kind of error, the episode and the part (an utterance, a speaker, a box), and
depends on nothing else:

- not on the level, so that levels nest: what is dropped at 0.25 is dropped at 0.5 too, and a jitter of 0.2 is that of
  0.1 doubled. The curve of a stress test then shows the effect of the level, and not of another draw;
- not on the order of the parts or on other parts, so that an episode cut at the utterance in question has the errors
  that the whole one has;
- not on the process, unlike Python's `hash`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of one kind of error in one episode."""

    seed: int
    kind: str
    episode_id: str

    def uniform(self, *part: str | float) -> float:
        """A number above 0 and below 1 for a part of the annotation, such as ("utterance", "u1")."""
        text = json.dumps([self.seed, self.kind, self.episode_id, *part])
        number = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
        return (number // 2**12 + 0.5) / 2**52  # 52 bits: with more, the largest would round to 1

    def normal(self, *part: str | float) -> float:
        """A number of the standard normal distribution for a part of the annotation."""
        return _NORMAL.inv_cdf(self.uniform(*part))
