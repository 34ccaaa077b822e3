"""The analyser `energy`: speech and voices without weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from socialcli.perception.contract import SAMPLE_RATE, PartOptions, Sound, Speech
from socialcli.perception.hearing import VOICES
from socialcli.perception.voices import EnergyVoices, voice_embedding
from socialcli.video.sound import open_sound
from tests.video.clips import record

from .talk import silence, talk


def recording(noise: float) -> Sound:
    """Speech from 2 to 4 s and from 6 to 7.6 s of 10 s."""
    clean = np.concatenate([silence(2), talk(2), silence(2), talk(1.6, seed=1), silence(2.4)])
    return clean + silence(10, noise=noise, seed=2)


def covered(found: list[Speech]) -> np.ndarray:
    heard = np.zeros(10 * SAMPLE_RATE, bool)
    for one in found:
        heard[round(one.start * SAMPLE_RATE) : round(one.end * SAMPLE_RATE)] = True
    return heard


@pytest.mark.parametrize("noise", [0.0, 0.001, 0.004])
def test_speech_stands_out_from_noise(noise: float) -> None:
    spoken = np.zeros(10 * SAMPLE_RATE, bool)
    spoken[2 * SAMPLE_RATE : 4 * SAMPLE_RATE] = True
    spoken[6 * SAMPLE_RATE : round(7.6 * SAMPLE_RATE)] = True
    found = covered(list(EnergyVoices().speech([recording(noise)])))
    assert (found & spoken).sum() / spoken.sum() > 0.95
    assert (found & ~spoken).sum() / spoken.sum() < 0.1


@pytest.mark.parametrize("sound", [silence(5), silence(5, noise=0.05), silence(0), silence(0.001)])
def test_silence_and_steady_noise_are_no_speech(sound: Sound) -> None:
    assert EnergyVoices().speech([sound] if len(sound) else []) == []


def test_blocks_do_not_matter() -> None:
    sound = recording(0.001)
    whole = EnergyVoices().speech([sound])
    assert EnergyVoices().speech(np.split(sound, [5, 70_001, 70_100])) == whole


def test_speech_of_a_file_is_found_on_the_clock_of_its_frames(tmp_path: Path) -> None:
    sound = np.concatenate([silence(1), talk(2), silence(1.5), talk(1), silence(1)])
    path = record(tmp_path / "late.mkv", sound, SAMPLE_RATE, begins=1.5, pictures=50)
    with open_sound(path) as file:
        assert file is not None
        first, second = EnergyVoices().speech(file.blocks())
    assert (first.start, first.end) == pytest.approx((2.5, 4.5), abs=0.15)
    assert (second.start, second.end) == pytest.approx((6.0, 7.0), abs=0.15)


def test_voices_of_other_pitch_and_size_are_told_apart() -> None:
    voices = {
        (pitch, size): [voice_embedding(talk(3, pitch, size, seed)) for seed in range(3)]
        for pitch, size in ((95, 1.1), (120, 1.0), (180, 0.9), (230, 0.85))
    }
    flat = [(who, one) for who, ones in voices.items() for one in ones]
    for who, one in flat:
        assert one is not None and one.dtype == np.float32
        assert np.linalg.norm(one) == pytest.approx(1.0, abs=1e-5)
        same = min(float(one @ other) for name, other in flat if name == who and other is not None)
        others = max(float(one @ other) for name, other in flat if name != who and other is not None)
        assert same > others


def test_too_little_voice_has_no_embedding() -> None:
    assert voice_embedding(talk(0.4)) is None
    assert voice_embedding(silence(3, noise=0.1)) is None
    assert voice_embedding(silence(0)) is None


def test_the_built_in_analyser_loads_without_weights() -> None:
    (spec,) = VOICES
    assert spec.name == "energy" and spec.source.package is None
    assert spec.load(PartOptions()).speech([recording(0.0)])
