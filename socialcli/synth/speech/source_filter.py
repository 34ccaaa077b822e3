"""Speech from a source and a filter: glottal pulses and noise through the resonances of a vocal tract.

After D. H. Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67, 1980: pulses pass through a cascade
of five formants, friction through one resonance beside it. The pulses are those of A. E. Rosenberg, "Effect of glottal
pulse shape on the quality of natural vowels", JASA 49, 1971.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter, sosfilt

from socialcli.synth.speech.phones import TimedPhone
from socialcli.synth.speech.spoken import RATE, STEPS, Samples, Spoken, level
from socialcli.synth.speech.voices import Voice

_BLOCK = RATE // STEPS
_HIGH = (3500.0, 4500.0)  # fourth and fifth formant, Hz
_WIDTHS = (80.0, 100.0, 130.0, 250.0, 300.0)  # bandwidths of the formants, Hz
_HIGHEST = 7200.0  # Hz; formants above have no place below half the sample rate
_RISE, _FALL = 0.4, 0.16  # shares of a glottal period
_COARTICULATION = 9  # steps over which formants, levels and the mouth move from one phone to the next
_DECLINATION = (1.12, 0.86)  # pitch at the beginning and the end of a statement, relative to the voice's
_QUESTION = 1.3  # pitch at the end of a question
_ACCENT = 0.06  # rise of pitch in the middle of a syllable
_HISS = 0.35  # level of friction relative to the loudest vowel


def speak(phones: Sequence[TimedPhone], voice: Voice, question: bool, rng: np.random.Generator) -> Spoken:
    """A sentence in somebody's voice; `rng` draws its noise."""
    steps = max(1, round(phones[-1].end * STEPS))
    targets = _targets(phones, steps)
    formants, voiced, noise, bands, opening = np.split(targets, (3, 4, 5, 7), axis=1)
    pitch = _pitch(phones, steps, voice, question)
    source = _pulses(pitch, voice, rng) * np.repeat(_smooth(voiced[:, 0], 5), _BLOCK)
    sound = _cascade(source, formants / voice.tract, voice.tract)
    friction = rng.standard_normal(steps * _BLOCK) * np.repeat(_smooth(noise[:, 0], 3), _BLOCK)
    sound = sound / max(float(np.abs(sound).max()), 1e-9) + _HISS * _friction(friction, bands)
    return Spoken(level(sound), np.clip(_smooth(opening[:, 0], _COARTICULATION), 0.0, 1.0))


def _targets(phones: Sequence[TimedPhone], steps: int) -> Samples:
    """For each step three formants, voice, noise, the centre and width of the friction, and the mouth: (steps, 8)."""
    ends = np.array([round(one.end * STEPS) for one in phones])
    place = np.minimum(np.searchsorted(ends, np.arange(steps), side="right"), len(phones) - 1)
    rows = np.array(
        [(*one.phone.formants, one.phone.voice, one.phone.noise, *one.phone.band, one.phone.opening) for one in phones]
    )
    targets: Samples = rows[place].astype(np.float64)
    targets[:, :3] = _smooth(targets[:, :3], _COARTICULATION)
    return targets


def _pitch(phones: Sequence[TimedPhone], steps: int, voice: Voice, question: bool) -> Samples:
    """The fundamental frequency, Hz, in each step: falling, with an accent on each vowel; a question rises."""
    contour = np.linspace(*_DECLINATION, steps)
    if question:
        contour += (_QUESTION - _DECLINATION[1]) * np.clip(np.linspace(-3, 1, steps), 0, None)
    for one in phones:
        if one.phone.vowel:
            first, end = round(one.start * STEPS), round(one.end * STEPS)
            contour[first:end] += _ACCENT * np.hanning(end - first + 2)[1:-1][: steps - first]
    pitch: Samples = voice.pitch * _smooth(contour, 7)
    return pitch


def _pulses(pitch: Samples, voice: Voice, rng: np.random.Generator) -> Samples:
    """The derivative of Rosenberg's glottal flow, with breath while the glottis is open."""
    phase = np.cumsum(np.repeat(pitch, _BLOCK)) / RATE % 1.0
    rising, falling = phase < _RISE, (phase >= _RISE) & (phase < _RISE + _FALL)
    flow = np.where(rising, 0.5 * (1 - np.cos(np.pi * phase / _RISE)), 0.0)
    flow = np.where(falling, np.cos(np.pi / 2 * (phase - _RISE) / _FALL), flow)
    pulses = np.diff(flow, prepend=0.0)
    breath = voice.breath * rng.standard_normal(len(pulses)) * flow
    tilted: Samples = lfilter([1 - voice.tilt], [1.0, -voice.tilt], pulses + 0.3 * breath)
    return tilted


def _cascade(source: Samples, formants: Samples, tract: float) -> Samples:
    """`source` through five resonances in a row, the first three at `formants` (steps, 3)."""
    centres = np.minimum(np.hstack([formants, np.tile(_HIGH, (len(formants), 1)) / tract]), _HIGHEST)
    return _resonate(source, centres, np.tile(_WIDTHS, (len(formants), 1)))


def _friction(noise: Samples, bands: Samples) -> Samples:
    """White noise through one resonance at `bands` (steps, 2): centre and width, Hz."""
    centres = np.where(bands[:, :1] > 0, bands[:, :1], 3000.0)
    widths = np.where(bands[:, 1:] > 0, bands[:, 1:], 3000.0)
    return _resonate(noise, centres, widths)


def _resonate(source: Samples, centres: Samples, widths: Samples) -> Samples:
    """A signal through resonances in a row, each with a gain of 1 at 0 Hz; `centres`, `widths`: (steps, resonances)."""
    radius = np.exp(-np.pi * widths / RATE)
    first, second = -2 * radius * np.cos(2 * np.pi * centres / RATE), radius**2
    sections = np.zeros((*centres.shape, 6))
    sections[..., 0], sections[..., 3], sections[..., 4], sections[..., 5] = 1 + first + second, 1.0, first, second
    state = np.zeros((centres.shape[1], 2))
    result = np.empty_like(source)
    for step, filters in enumerate(sections):
        block = slice(step * _BLOCK, (step + 1) * _BLOCK)
        result[block], state = sosfilt(filters, source[block], zi=state)
    return result


def _smooth(values: Samples, steps: int) -> Samples:
    smoothed: Samples = uniform_filter1d(values, steps, axis=0, mode="nearest")
    return smoothed
