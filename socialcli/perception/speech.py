"""From levels of speech, one each few milliseconds, to stretches of speech.

The rules are those of silero-vad (`get_speech_timestamps`): a stretch begins at a level of at least `onset` and ends
where levels stay below `offset` for `min_silence` seconds; between the two, what was the case stays the case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socialcli.perception.contract import SAMPLE_RATE, Sound, Speech


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRules:
    """When speech begins and ends; the defaults are silero-vad's, for its probabilities."""

    onset: float = 0.5  # level from which speech begins
    offset: float = 0.35  # level below which it may end
    min_speech: float = 0.25  # seconds: shorter stretches are dropped
    min_silence: float = 0.1  # seconds: shorter silence does not end a stretch
    padding: float = 0.03  # seconds added on both sides, up to half of the silence between two stretches


def speech_of(levels: Sequence[float], step: int, length: int, rules: SpeechRules) -> list[Speech]:
    """The stretches of speech in `length` samples, of which each `step` have a level; in order, in seconds."""
    kept = [
        (begin, end)
        for begin, end in _stretches(levels, step, length, rules)
        if end - begin > rules.min_speech * SAMPLE_RATE
    ]
    return [
        Speech(begin / SAMPLE_RATE, end / SAMPLE_RATE)
        for begin, end in _padded(kept, length, int(rules.padding * SAMPLE_RATE))
    ]


def _stretches(levels: Sequence[float], step: int, length: int, rules: SpeechRules) -> Iterator[tuple[int, int]]:
    begin: int | None = None
    silent: int | None = None  # where the silence began that may end the stretch
    for index, level in enumerate(levels):
        at = index * step
        if level >= rules.onset:
            begin, silent = at if begin is None else begin, None
        elif level < rules.offset and begin is not None:
            silent = at if silent is None else silent
            if at - silent >= rules.min_silence * SAMPLE_RATE:
                yield begin, silent
                begin = silent = None
    if begin is not None:
        yield begin, length


def _padded(stretches: Sequence[tuple[int, int]], length: int, padding: int) -> Iterator[tuple[int, int]]:
    for index, (begin, end) in enumerate(stretches):
        before = begin if index == 0 else begin - stretches[index - 1][1]
        after = length - end if index == len(stretches) - 1 else stretches[index + 1][0] - end
        early = min(padding, before if index == 0 else before // 2)
        late = min(padding, after if index == len(stretches) - 1 else after // 2)
        yield begin - early, end + late


def windows(blocks: Iterable[Sound], width: int) -> Iterator[tuple[npt.NDArray[np.float32], int]]:
    """Blocks of any length as windows of `width` samples, shape (count, width), with how many samples are new.

    Silence fills the last window.
    """
    rest = np.zeros(0, np.float32)
    for block in blocks:
        joined = np.concatenate([rest, block])
        whole = len(joined) // width * width
        rest = joined[whole:]
        if whole:
            yield joined[:whole].reshape(-1, width), whole
    if len(rest):
        yield np.pad(rest, (0, width - len(rest)))[None], len(rest)
