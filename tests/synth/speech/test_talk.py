"""Sound: it is where the utterances are, and nobody sounds like another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from socialcli.synth.episodes import draw_plot
from socialcli.synth.speech.spoken import LOUDNESS, RATE, STEPS
from socialcli.synth.story import Story
from tests.synth.speaking import SEED, SPEAKING, performed

Samples = npt.NDArray[np.float64]


def loudness(sound: npt.NDArray[np.int16]) -> Samples:
    """The root mean square of each hundredth of a second, full scale 1."""
    whole = sound[: len(sound) // 160 * 160].reshape(-1, 160) / 32767
    level: Samples = np.sqrt((whole**2).mean(axis=1))
    return level


@pytest.mark.parametrize("index", range(3))
def test_there_is_sound_while_somebody_speaks_and_silence_in_between(index: int) -> None:
    plot, performance = performed(index=index)
    talk = performance.talk
    level = loudness(talk.track(plot.world.frames / plot.world.fps))
    spoken = np.zeros(len(level), dtype=bool)
    for start, end in zip(talk.starts, talk.ends, strict=True):
        inside = slice(round(100 * start), round(100 * end))
        spoken[inside] = True
        assert np.sqrt((level[inside] ** 2).mean()) == pytest.approx(LOUDNESS, rel=0.05)
        assert (level[inside] > 0.01).mean() > 0.7  # the rest are closures of stops, and commas
    silent = ~(spoken | np.roll(spoken, 1) | np.roll(spoken, -1))
    assert silent.sum() > 100 and level[silent].max() < 0.001


def test_sentences_follow_each_other_and_stretches_change_in_the_pauses() -> None:
    plot, performance = performed(replace(SPEAKING, turns=2))
    talk, world = performance.talk, plot.world
    assert len(talk.starts) == len(world.starts) == len(plot.story.lines) == 6
    for end, start in zip(talk.ends, talk.starts[1:], strict=False):
        assert 0.4 <= start - end < 0.92
    for place, (start, end) in enumerate(zip(talk.starts, talk.ends, strict=True)):
        frames = world.frames_of(place)
        assert frames.start / world.fps <= start < end <= frames.stop / world.fps
        assert {world.stretch(frame) for frame in frames} == {place}
    assert world.frames / world.fps == pytest.approx(talk.ends[-1] + 0.5, abs=1 / world.fps)


def pitch(sound: Samples) -> float:
    """The fundamental frequency, Hz: the mean over loud stretches of 40 ms of the strongest period."""
    size, found = RATE // 25, []
    for first in range(0, len(sound) - 2 * size, size):
        piece = sound[first : first + 2 * size]
        if np.sqrt((piece**2).mean()) < 0.8 * LOUDNESS:
            continue
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 8 * RATE // 4)) ** 2
        echo = np.fft.irfft(spectrum)
        low, high = RATE // 400, RATE // 70
        best = low + int(np.argmax(echo[low:high]))
        if echo[best] > 0.5 * echo[0]:
            found.append(RATE / best)
    return float(np.median(found))


def test_each_person_has_a_pitch_and_a_spectrum_of_their_own() -> None:
    plot, performance = performed(replace(SPEAKING, turns=2))
    by_person: dict[int, list[int]] = {}
    for place, line in enumerate(plot.story.lines):
        by_person.setdefault(plot.story.cast[line.speaker], []).append(place)
    spectra = {}
    for person, places in by_person.items():
        heard = [pitch(performance.talk.spoken[place].sound) for place in places]
        assert heard == pytest.approx([performance.talk.voices[person].pitch] * 2, rel=0.15)
        spectra[person] = [envelope(performance.talk.spoken[place].sound) for place in places]
    own = [np.abs(first - second).mean() for first, second in spectra.values()]
    other = [
        np.abs(spectra[one][0] - spectra[two][turn]).mean()
        for one in spectra
        for two in spectra
        if one < two
        for turn in (0, 1)
    ]
    assert np.mean(own) < 0.7 * np.mean(other)


def envelope(sound: Samples) -> Samples:
    """The long-term spectrum, dB in bands of 50 Hz up to 1 kHz, without its mean."""
    pieces = sound[: len(sound) // 320 * 320].reshape(-1, 320)
    power = (np.abs(np.fft.rfft(pieces * np.hanning(320), axis=1)) ** 2).mean(axis=0)[1:21]
    level: Samples = 10 * np.log10(power)
    return level - level.mean()


def test_the_same_seed_gives_the_same_sound_and_another_episode_another() -> None:
    tracks = [performed(index=index)[1].talk.track(20.0) for index in (0, 0, 1)]
    assert np.array_equal(tracks[0], tracks[1]) and not np.array_equal(tracks[0], tracks[2])


def test_lips_move_as_long_as_the_sound() -> None:
    for one in performed()[1].talk.spoken:
        assert len(one.sound) / RATE == len(one.opening) / STEPS
        assert one.opening.min() >= 0 and one.opening.max() > 0.6


def test_the_story_is_that_of_the_silent_world() -> None:
    speaking, silent = performed()[0], draw_plot(replace(SPEAKING, audio=None), SEED, 0)
    assert isinstance(silent.story, Story) and speaking.story == silent.story
    assert (speaking.world.people, speaking.world.gestures) == (silent.world.people, silent.world.gestures)
