"""Short-time spectra of sound: mel-frequency cepstral coefficients, and the pitch of a voice.

The coefficients are those of the package python_speech_features 0.6 with its defaults, on which Light-ASD was trained:
pre-emphasis 0.97, rectangular windows of 25 ms each 10 ms, 26 triangular mel filters from 0 to 8 kHz on 512 bins, an
orthonormal DCT, a lifter of 22, and the log energy in place of the first coefficient. Samples count as 16-bit integers.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from socialcli.perception.contract import SAMPLE_RATE, Sound

Floats = npt.NDArray[np.float64]

STEP = SAMPLE_RATE // 100  # samples from one window to the next: 10 ms
COEFFICIENTS = 13
_WINDOW = SAMPLE_RATE // 40  # samples: 25 ms
_BINS = 512
_FILTERS = 26
_EMPHASIS = 0.97
_LIFTER = 22
_FULL_SCALE = 32_768  # of a 16-bit sample
_TINY = np.finfo(np.float64).eps  # stands for no energy, whose logarithm is not finite

_PITCH_WINDOW = SAMPLE_RATE // 25  # samples: 40 ms, two periods of the lowest voice
_LOWEST, _HIGHEST = 60.0, 400.0  # Hz: from a very low man to a child
_PERIODIC = 0.5  # autocorrelation at the pitch, relative to the energy, from which sound counts as voiced


def mfcc(sound: Sound) -> npt.NDArray[np.float32]:
    """The coefficients of each window of 25 ms, shape (windows, 13); the last window is filled with silence.

    There are 1 + ceil((samples - 400) / 160) windows, at least one.
    """
    samples = np.clip(np.rint(sound.astype(np.float64) * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
    emphasized = samples.copy()
    emphasized[1:] -= _EMPHASIS * samples[:-1]
    power = np.abs(np.fft.rfft(_windows(emphasized, _WINDOW), _BINS)) ** 2 / _BINS
    energy = power.sum(axis=1)
    bands = np.log(_positive(power @ _filters().T))
    cepstra = dct(bands, type=2, axis=1, norm="ortho")[:, :COEFFICIENTS]
    cepstra *= 1 + (_LIFTER / 2) * np.sin(np.pi * np.arange(COEFFICIENTS) / _LIFTER)
    cepstra[:, 0] = np.log(_positive(energy))
    return np.asarray(cepstra, dtype=np.float32)


def pitch(sound: Sound) -> Floats:
    """The fundamental frequency each 10 ms, Hz, shape (windows,); NaN where the sound is not a voiced one.

    It is the highest peak of the autocorrelation of a window of 40 ms between the lags of 400 and 60 Hz, if this
    reaches half of the energy (Boersma 1993 divides by the window's own autocorrelation, as here).
    """
    taper = np.hanning(_PITCH_WINDOW)
    frames = _windows(sound.astype(np.float64), _PITCH_WINDOW)
    frames = (frames - frames.mean(axis=1, keepdims=True)) * taper
    own = _autocorrelation(taper[None])[0]
    correlation = _autocorrelation(frames)
    energy = correlation[:, :1]
    first, last = int(SAMPLE_RATE / _HIGHEST), int(SAMPLE_RATE / _LOWEST)
    relative = correlation[:, first : last + 1] / np.maximum(energy, _TINY) * (own[0] / own[first : last + 1])
    # A period's multiples correlate as well as the period itself: take the shortest lag that is nearly the best.
    best = relative.max(axis=1, keepdims=True)
    lag = first + np.argmax(relative >= 0.9 * best, axis=1)
    lag = np.array([_summit(row, at - first) + first for row, at in zip(relative, lag, strict=True)])
    voiced = (best[:, 0] >= _PERIODIC) & (energy[:, 0] > _TINY)
    return np.where(voiced, SAMPLE_RATE / lag, np.nan)


def _summit(row: Floats, at: int) -> int:
    """Climb from `at` to the peak that it is on the side of."""
    while at + 1 < len(row) and row[at + 1] > row[at]:
        at += 1
    return at


def _windows(samples: Floats, width: int) -> Floats:
    """Windows of `width` samples each 10 ms, a view; silence fills the last one."""
    count = 1 + max(0, -(-(len(samples) - width) // STEP))
    filled = np.zeros((count - 1) * STEP + width)
    filled[: len(samples)] = samples
    return np.lib.stride_tricks.sliding_window_view(filled, width)[::STEP]


def _autocorrelation(frames: Floats) -> Floats:
    size = 2 * frames.shape[1]
    spectrum = np.fft.rfft(frames, size)
    correlation: Floats = np.fft.irfft(np.abs(spectrum) ** 2, size)[:, : frames.shape[1]]
    return correlation


def _positive(values: Floats) -> Floats:
    return np.where(values == 0, _TINY, values)


@cache
def _filters() -> Floats:
    """Triangles whose corners are evenly spaced in mel and rounded down to bins, shape (26, 257)."""
    highest = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, _FILTERS + 2) / 2595) - 1)
    corners = np.floor((_BINS + 1) * corners / SAMPLE_RATE)
    bins = np.arange(_BINS // 2 + 1)
    left, top, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = np.where((bins >= left) & (bins < top), (bins - left) / (top - left), 0.0)
        falling = np.where((bins >= top) & (bins < right), (right - bins) / (right - top), 0.0)
    triangles: Floats = rising + falling
    return triangles
