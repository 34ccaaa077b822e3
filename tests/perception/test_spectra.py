"""Spectra against their definitions, and pitch against tones that have it."""

from __future__ import annotations

import numpy as np
import pytest

from socialcli.perception.contract import SAMPLE_RATE
from socialcli.perception.spectra import mfcc, pitch

from .talk import silence, talk


def coefficients(sound: np.ndarray) -> np.ndarray:
    """The coefficients written out as the formulas stand in python_speech_features 0.6, window by window."""
    samples = np.rint(sound.astype(np.float64) * 32768)
    emphasized = np.append(samples[0], samples[1:] - 0.97 * samples[:-1])
    top = 2595 * np.log10(1 + 8000 / 700)
    corners = [int(513 * 700 * (10 ** (top * place / 27 / 2595) - 1) / 16000) for place in range(28)]
    bank = np.zeros((26, 257))
    for row in range(26):
        a, b, c = corners[row : row + 3]
        bank[row, a:b] = (np.arange(a, b) - a) / (b - a)
        bank[row, b:c] = (c - np.arange(b, c)) / (c - b)
    rows = []
    for begin in range(0, len(sound) - 400 + 160, 160):
        window = np.zeros(512)
        part = emphasized[begin : begin + 400]
        window[: len(part)] = part
        power = np.abs(np.fft.rfft(window)) ** 2 / 512
        logs = np.log(bank @ power)
        waves = np.cos(np.pi * np.outer(np.arange(13), np.arange(26) + 0.5) / 26)
        cepstrum = waves @ logs * np.where(np.arange(13) == 0, (1 / 26) ** 0.5, (2 / 26) ** 0.5)
        cepstrum *= 1 + 11 * np.sin(np.pi * np.arange(13) / 22)
        cepstrum[0] = np.log(power.sum())
        rows.append(cepstrum)
    return np.array(rows)


def test_coefficients_are_those_of_the_formulas() -> None:
    sound = talk(1.0) + silence(1.0, noise=0.001)
    assert mfcc(sound) == pytest.approx(coefficients(sound), abs=1e-3)


@pytest.mark.parametrize(("samples", "windows"), [(1, 1), (400, 1), (401, 2), (560, 2), (561, 3), (16000, 99)])
def test_windows_cover_the_sound(samples: int, windows: int) -> None:
    assert mfcc(talk(1.0)[:samples]).shape == (windows, 13)


def test_silence_has_finite_coefficients() -> None:
    assert np.isfinite(mfcc(silence(0.5))).all()


@pytest.mark.parametrize("hertz", [70, 110, 220, 390])
def test_the_pitch_of_a_buzz_is_found(hertz: float) -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    buzz = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 9))
    found = pitch((0.2 * np.asarray(buzz)).astype(np.float32))
    assert np.isfinite(found).mean() > 0.95
    assert np.nanmedian(found) == pytest.approx(hertz, rel=0.02)


def test_noise_and_silence_have_no_pitch() -> None:
    assert np.isnan(pitch(silence(1.0, noise=0.1))).all()
    assert np.isnan(pitch(silence(1.0))).all()
