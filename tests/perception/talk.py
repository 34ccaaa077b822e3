"""Speech for tests: a buzz through the resonances of vowels, with pauses, as voices that differ in pitch and size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from socialcli.perception.contract import SAMPLE_RATE, Sound

_VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))  # Hz
_SYLLABLE = SAMPLE_RATE // 5  # samples


def talk(seconds: float, pitch: float = 120.0, size: float = 1.0, seed: int = 0) -> Sound:
    """Syllables of random vowels by a voice of this pitch, Hz; a `size` above 1 is a longer vocal tract."""
    rng = np.random.default_rng(seed)
    parts = [
        _syllable(pitch * 2 ** rng.normal(0, 0.08), _VOWELS[rng.integers(len(_VOWELS))], size)
        for _ in range(round(seconds * SAMPLE_RATE / _SYLLABLE))
    ]
    sound = np.concatenate(parts)
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def _syllable(pitch: float, formants: tuple[int, int, int], size: float) -> npt.NDArray[np.float64]:
    phase = np.cumsum(np.full(_SYLLABLE, pitch / SAMPLE_RATE) * np.linspace(1.05, 0.95, _SYLLABLE))
    sound = np.diff(np.floor(phase), prepend=0.0)  # a pulse for each period
    for formant in formants:
        radius = np.exp(-np.pi * 90 / SAMPLE_RATE)
        angle = 2 * np.pi * formant / size / SAMPLE_RATE
        sound = lfilter([1.0], [1.0, -2 * radius * np.cos(angle), radius**2], sound)
    return sound * np.sin(np.linspace(0, np.pi, _SYLLABLE)) ** 0.5


def silence(seconds: float, noise: float = 0.0, seed: int = 0) -> Sound:
    """Nothing, or noise of this deviation."""
    count = round(seconds * SAMPLE_RATE)
    return (noise * np.random.default_rng(seed).normal(size=count)).astype(np.float32)
