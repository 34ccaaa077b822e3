"""People's voices: pitch, length of the vocal tract, tempo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PITCHES = (88.0, 250.0)  # Hz, of the lowest and the highest voice of a clip
_TRACTS = (1.12, 0.86)  # lengths of the vocal tracts of the lowest and the highest voice, relative to an adult man's
_PITCH_JITTER, _TRACT_JITTER = 0.02, 0.025  # relative standard deviations
_TEMPOS, _BREATHS, _TILTS = (0.9, 1.12), (0.01, 0.06), (0.0, 0.6)


@dataclass(frozen=True, slots=True)
class Voice:
    """A person's voice."""

    pitch: float  # mean fundamental frequency, Hz
    tract: float  # length of the vocal tract relative to an adult man's; formants are divided by it
    tempo: float  # relative speed of speech
    breath: float  # level of the noise beside the glottal pulses, relative to theirs
    tilt: float  # from 0 to 1: how much the voice lacks high frequencies


def draw_voices(count: int, rng: np.random.Generator) -> tuple[Voice, ...]:
    """Voices for `count` people, in random order: pitches at equal musical intervals, about a tone or more apart."""
    share = (rng.permutation(count) + 0.5) / count
    pitches = PITCHES[0] * (PITCHES[1] / PITCHES[0]) ** share * np.exp(rng.normal(0, _PITCH_JITTER, count))
    tracts = (_TRACTS[0] + (_TRACTS[1] - _TRACTS[0]) * share) * np.exp(rng.normal(0, _TRACT_JITTER, count))
    others = (rng.uniform(*limits, count) for limits in (_TEMPOS, _BREATHS, _TILTS))
    columns = [column.tolist() for column in (pitches, tracts, *others)]
    return tuple(Voice(*values) for values in zip(*columns, strict=True))
