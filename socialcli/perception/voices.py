"""Voices without weights: speech by its loudness, and what a voice sounds like by its spectrum and pitch.

For machines without the packages of better parts. Loudness cannot tell speech from music, laughter or doors. The
embedding tells a few clean voices of one recording apart; it does not know a voice again through another microphone,
and two people of the same pitch and build can be too near. docs/perception.md has figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import percentile_filter, uniform_filter1d

from socialcli.perception.contract import SAMPLE_RATE, Sound, Speech, Vector
from socialcli.perception.spectra import STEP, mfcc, pitch
from socialcli.perception.speech import SpeechRules, speech_of, windows

# Decibels above the floor. Speech dips between syllables, so silence must last longer than with a probability.
_RULES = SpeechRules(onset=8.0, offset=5.0, min_speech=0.25, min_silence=0.3, padding=0.05)
_QUIETEST = -65.0  # dB of full scale: the least floor, below which sound is not heard as speech
_SECOND = SAMPLE_RATE // STEP  # levels of a second
_SURROUNDINGS = 31  # seconds whose quiet moments make the floor

_LONGEST = 60 * SAMPLE_RATE  # samples: more do not change what a voice sounds like
_LEAST_VOICED = 50  # windows of 10 ms
# Mean and deviation over voices of the features of `_features`: 12 coefficients, and the middle of the pitch and its
# spread in octaves. From 12 voices of two speech synthesizers (eSpeak NG 1.51, Flite 2.2), 2 s at a time. The pitch has
# a deviation of its own: it separates voices better than any coefficient, and must not be lost among twelve.
_MEANS = np.array([0.7, -4.0, 11.8, -17.3, -16.9, -3.9, -21.5, -0.8, -4.7, 0.5, -7.7, -9.7, 7.0, 0.2])
_DEVIATIONS = np.array([6.7, 9.1, 8.8, 11.8, 10.6, 11.0, 10.5, 11.1, 8.9, 8.2, 7.7, 6.1, 0.15, 0.1])


class EnergyVoices:
    """The voice analyser `energy`."""

    def speech(self, blocks: Iterable[Sound]) -> Sequence[Speech]:
        """The stretches that stand out from the noise around them by 8 dB."""
        length = 0
        powers = [np.zeros(0)]
        for part, new in windows(blocks, STEP):
            length += new
            powers.append(_power(part))
        levels = _above_floor(np.concatenate(powers))
        return speech_of(levels.tolist(), STEP, length, _RULES)

    def embedding(self, sound: Sound) -> Vector | None:
        """See `voice_embedding`."""
        return voice_embedding(sound)


def voice_embedding(sound: Sound) -> Vector | None:
    """What a voice sounds like, float32 of shape (14,) and length 1; None for less than half a second of voiced sound.

    The means of 12 mel-frequency cepstral coefficients (spectra.mfcc) over the windows with a pitch, and the middle and
    the spread of the pitch, each relative to voices in general. Only the first minute counts.
    """
    features = _features(sound[:_LONGEST])
    if features is None:
        return None
    relative = (features - _MEANS) / _DEVIATIONS
    length = float(np.linalg.norm(relative))
    return None if length == 0 else (relative / length).astype(np.float32)


def _features(sound: Sound) -> npt.NDArray[np.float64] | None:
    frequencies = pitch(sound)
    coefficients = mfcc(sound)[: len(frequencies), 1:]
    voiced = np.isfinite(frequencies[: len(coefficients)])
    if voiced.sum() < _LEAST_VOICED:
        return None
    octaves = np.log2(frequencies[: len(coefficients)][voiced])
    low, middle, high = np.percentile(octaves, [25, 50, 75])
    return np.array([*coefficients[voiced].mean(axis=0, dtype=np.float64), middle, high - low])


def _power(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The power of each row of 10 ms from 200 Hz to 3.5 kHz, where most of speech is and little of hum and hiss."""
    spectrum = np.fft.rfft(samples.astype(np.float64) * np.hanning(STEP), axis=1)[:, 2:36]  # bins of 100 Hz
    power: npt.NDArray[np.float64] = np.mean(np.abs(spectrum) ** 2, axis=1) / STEP
    return power


def _above_floor(powers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Levels, dB above the noise around them: the quietest tenth of each second, over half a minute."""
    if not len(powers):
        return powers
    levels = 10 * np.log10(np.maximum(uniform_filter1d(powers, 5, mode="nearest"), 1e-12))
    seconds = [levels[begin : begin + _SECOND] for begin in range(0, len(levels), _SECOND)]
    quiet = np.maximum([np.percentile(second, 10) for second in seconds], _QUIETEST)
    floor = percentile_filter(quiet, 20, size=_SURROUNDINGS, mode="nearest")
    above: npt.NDArray[np.float64] = levels - np.repeat(floor, _SECOND)[: len(levels)]
    return above
