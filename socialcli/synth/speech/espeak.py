"""Speech by eSpeak NG, a free synthesizer of the system (GPL-3.0), run as a program of its own."""

from __future__ import annotations

import functools
import io
import math
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from scipy.io import wavfile
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, resample_poly, sosfilt

from socialcli.errors import SocialcliError, UsageError
from socialcli.synth.speech.spoken import RATE, STEPS, Samples, Spoken, level
from socialcli.synth.speech.voices import PITCHES, Voice

_VARIANTS = ("m7", "m3", "m1", "m2", "m6", "m4", "m5", "f5", "f1", "f4", "f2", "f3")  # from low to high
_WORDS_A_MINUTE = 155
_SECONDS = 60  # for one sentence; it takes a few hundredths
_VOWELS = (250.0, 3000.0)  # Hz: the band whose loudness shows how wide the mouth is open
_SYLLABLE = 0.06  # seconds over which the loudness is averaged
_SHUT = 0.12  # loudness, relative to the sentence's loudest syllables, at which the mouth is shut
_QUIET = 1e-3  # level below which the silence around a sentence is cut off


def espeak() -> str:
    """The path of the program. Raises UsageError if it is not on PATH."""
    path = shutil.which("espeak-ng")
    if path is None:
        raise UsageError(
            "--audio espeak: the program espeak-ng is not on PATH; install it (package espeak-ng), or use --audio voice"
        )
    return path


@functools.cache
def espeak_version() -> str:
    """The version of the program, such as "1.51"."""
    line = _run([espeak(), "--version"], "").splitlines()[0]
    return line.partition(":")[2].split()[0]


def speak_with_espeak(text: str, voice: Voice) -> Spoken:
    """A sentence in a variant of espeak's voice, with pitch and tempo of `voice`.

    Raises UsageError if the program is missing, SocialcliError if it fails.
    """
    low, high = PITCHES
    share = min(max(0.0, math.log(voice.pitch / low) / math.log(high / low)), 1.0)
    variant = _VARIANTS[min(int(share * len(_VARIANTS)), len(_VARIANTS) - 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentence.wav"
        options = ["-v", f"en-us+{variant}", "-p", str(round(25 + 50 * share)), "-s"]
        _run([espeak(), *options, str(round(_WORDS_A_MINUTE * voice.tempo)), "-w", str(path), "--stdin"], text)
        rate, samples = wavfile.read(io.BytesIO(path.read_bytes()))
    common = math.gcd(RATE, rate)
    sound = level(_trimmed(resample_poly(samples / 32768.0, RATE // common, rate // common)))
    return Spoken(sound, _opening(sound))


def _run(command: list[str], text: str) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise SocialcliError(f"espeak-ng failed ({error}); try it on its own, or use --audio voice") from error
    return done.stdout


def _trimmed(sound: Samples) -> Samples:
    """The sound without silence before and after it, in whole steps of the mouth."""
    loud = np.flatnonzero(np.abs(sound) > _QUIET)
    if not len(loud):
        raise SocialcliError("espeak-ng gave silence; check its voices (espeak-ng --voices=en)")
    block = RATE // STEPS
    first, end = int(loud[0]), int(loud[-1]) + 1
    return np.pad(sound[first:end], (0, -(end - first) % block))


def _opening(sound: Samples) -> Samples:
    """The opening of the mouth from the loudness of vowels: (steps,)."""
    band = sosfilt(butter(2, _VOWELS, "bandpass", fs=RATE, output="sos"), sound)
    power = np.mean(band.reshape(-1, RATE // STEPS) ** 2, axis=1)
    mean = uniform_filter1d(power, max(1, round(_SYLLABLE * STEPS)), mode="constant")
    loudness = np.sqrt(np.maximum(mean, 0.0))  # the filter rounds to just below 0
    relative = loudness / max(float(np.quantile(loudness, 0.9)), 1e-9)
    opening: Samples = np.clip((relative - _SHUT) / (1 - _SHUT), 0.0, 1.0)
    return opening
