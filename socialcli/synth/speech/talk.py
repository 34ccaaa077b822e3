"""The talk of a clip: who says what when, in which voice, as one sound track."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socialcli.synth.settings import Audio
from socialcli.synth.speech.espeak import speak_with_espeak
from socialcli.synth.speech.lexicon import phones_of
from socialcli.synth.speech.phones import timed
from socialcli.synth.speech.source_filter import speak
from socialcli.synth.speech.spoken import RATE, Spoken
from socialcli.synth.speech.voices import Voice, draw_voices
from socialcli.synth.story import Story

_BEFORE = 0.5  # seconds of silence before the first sentence, and after the last
_PAUSES = (0.4, 0.9)  # seconds between sentences
_GRID = 100  # sentences start at hundredths of a second
_NOISE = 2e-4  # root mean square of the noise of the room; full scale is 1


@dataclass(frozen=True, slots=True, eq=False)
class Talk:
    """The sentences of a clip. `starts` has the second at which each begins; `voices` those of the world's people."""

    voices: tuple[Voice, ...]
    starts: tuple[float, ...]
    spoken: tuple[Spoken, ...]
    noise: int  # seed of the noise of the room

    @property
    def ends(self) -> tuple[float, ...]:
        """The second at which each sentence ends."""
        return tuple(start + one.seconds for start, one in zip(self.starts, self.spoken, strict=True))

    def frames(self, fps: int) -> int:
        """The length of the clip."""
        return math.ceil((self.ends[-1] + _BEFORE) * fps)

    def stretches(self, fps: int) -> tuple[int, ...]:
        """The first frame of each sentence's stretch of the clip; stretches change in the middle of a pause."""
        middles = [(end + start) / 2 for end, start in zip(self.ends, self.starts[1:], strict=False)]
        return 0, *(round(middle * fps) for middle in middles)

    def track(self, seconds: float) -> npt.NDArray[np.int16]:
        """The sound of a clip of so many seconds, at least as long as the talk: (samples,) at `RATE`."""
        count = round(seconds * RATE)
        sound = np.random.default_rng(self.noise).normal(0, _NOISE, count)
        for start, one in zip(self.starts, self.spoken, strict=True):
            first = round(start * RATE)
            sound[first : first + len(one.sound)] += one.sound
        return np.round(32767 * np.clip(sound, -1, 1)).astype(np.int16)


def draw_talk(people: int, story: Story, audio: Audio, rng: np.random.Generator) -> Talk:
    """The sentences of the story, one after the other, in the voices of `people` people.

    Raises like `speak_with_espeak`.
    """
    voices = draw_voices(people, rng)
    said = [(line.sentence.text, voices[story.cast[line.speaker]]) for line in story.lines]
    pauses = [_BEFORE, *rng.uniform(*_PAUSES, len(said) - 1).tolist()]
    seeds = rng.integers(2**32, size=len(said) + 1).tolist()
    spoken = tuple(_say(text, voice, audio, seed) for (text, voice), seed in zip(said, seeds[1:], strict=True))
    return Talk(voices, _starts(pauses, spoken), spoken, seeds[0])


def _say(text: str, voice: Voice, audio: Audio, seed: int) -> Spoken:
    if audio == "espeak":
        return speak_with_espeak(text, voice)
    return speak(timed(phones_of(text), voice.tempo), voice, text.endswith("?"), np.random.default_rng(seed))


def _starts(pauses: Sequence[float], spoken: Sequence[Spoken]) -> tuple[float, ...]:
    starts, now = [], 0.0
    for pause, one in zip(pauses, spoken, strict=True):
        start = math.ceil((now + pause) * _GRID) / _GRID
        starts.append(start)
        now = start + one.seconds
    return tuple(starts)
