"""The synthesizer: the formants of a vowel are where they should be, and s hisses."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from socialcli.synth.speech.phones import PHONES, TimedPhone
from socialcli.synth.speech.source_filter import speak
from socialcli.synth.speech.spoken import RATE, Samples
from socialcli.synth.speech.voices import Voice, draw_voices

LOW = Voice(pitch=60.0, tract=1.0, tempo=1.0, breath=0.01, tilt=0.0)


def held(sign: str, voice: Voice = LOW) -> Samples:
    """One second of a phone."""
    return speak([TimedPhone(PHONES[sign][0], 0.0, 1.0)], voice, False, np.random.default_rng(0)).sound


def power(sound: Samples, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    return float(spectrum[(hertz >= low) & (hertz < high)].sum())


@pytest.mark.parametrize(("sign", "tract"), [("IY", 1.0), ("AA", 1.0), ("AE", 1.0), ("AE", 0.86), ("AE", 1.12)])
def test_a_vowel_is_strongest_at_its_formants(sign: str, tract: float) -> None:
    sound = held(sign, Voice(60.0, tract, 1.0, 0.01, 0.0))
    centres = [formant / tract for formant in PHONES[sign][0].formants[:2]]
    for centre in centres:
        inside = power(sound, centre - 90, centre + 90)
        others = [power(sound, centre + shift - 90, centre + shift + 90) for shift in (-350, 350)]
        near = [min(abs(centre + shift - other) for other in centres) > 200 for shift in (-350, 350)]
        assert all(inside > 1.5 * value for value, counts in zip(others, near, strict=True) if counts)


def test_s_hisses_and_a_vowel_does_not() -> None:
    hiss, vowel = held("S"), held("AA")
    assert power(hiss, 4000, 8000) > 10 * power(hiss, 0, 3000)
    assert power(vowel, 4000, 8000) < 0.05 * power(vowel, 0, 3000)


def test_a_question_rises_at_its_end() -> None:
    ends = []
    for question in (False, True):
        sound = speak([TimedPhone(PHONES["AA"][0], 0.0, 1.0)], LOW, question, np.random.default_rng(0)).sound[-4000:]
        echo = np.correlate(sound, sound, "full")[len(sound) :]
        ends.append(RATE / (120 + int(np.argmax(echo[120:400]))))
    assert ends[1] > 1.2 * ends[0]


def test_voices_are_apart_in_pitch() -> None:
    for count in (2, 4, 8):
        pitches = sorted(voice.pitch for voice in draw_voices(count, np.random.default_rng(count)))
        ratios = [high / low for low, high in pairwise(pitches)]
        assert min(ratios) > 1.06 and pitches[0] > 70 and pitches[-1] < 280
