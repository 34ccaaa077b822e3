"""A sentence as sound, with the movement of the mouth that says it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATE = 16_000  # samples a second
STEPS = 200  # steps of the mouth in a second
LOUDNESS = 0.1  # root mean square of a sentence; full scale is 1

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """A sentence. `sound` is one channel from -1 to 1, `RATE` samples a second.

    `opening` is that of the mouth, from 0, shut, to 1, `STEPS` values a second, over the same time.
    """

    sound: Samples
    opening: Samples

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return len(self.sound) / RATE


def level(sound: Samples) -> Samples:
    """The sound at the loudness of all sentences, without samples beyond full scale."""
    scaled: Samples = np.clip(sound * (LOUDNESS / max(float(np.sqrt(np.mean(sound**2))), 1e-9)), -1.0, 1.0)
    return scaled
