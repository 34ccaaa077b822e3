"""How much a person's face speaks during an utterance, as log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SURE = 4.0  # log-odds at most, either way, of a second of speech: scores are not calibrated far from 0
LEAST_VISIBLE = 0.2  # share of an utterance in which a face must be seen; less says nothing
LONGEST = 3.0  # seconds of an utterance that count: its moments depend on each other

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance, before anybody knows whose it is."""

    start: float  # seconds
    end: float
    label: str | None = None  # the speaker's label in the transcript or of a diarizer: one voice, but whose?


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """When a person's face is seen, and how much it speaks then."""

    times: Floats  # (T,) seconds, ascending, of the frames in which the face is seen
    scores: Floats  # (T,) log-odds that it speaks: above 0 where that is likelier than not
    rate: float  # frames a second that there would be if it were always seen


def visual_evidence(spoken: Sequence[Spoken], people: Sequence[Activity]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Log-odds (U, P) that the person's face speaks the utterance, and whether the face is seen in it, (U, P).

    Where it is not seen, the log-odds are 0. Those of an utterance are the mean of its moments, limited by `SURE`,
    times its length in seconds up to `LONGEST`.
    """
    evidence = np.zeros((len(spoken), len(people)))
    seen = np.zeros(evidence.shape, dtype=np.bool_)
    for row, one in enumerate(spoken):
        length = max(one.end - one.start, 0.0)
        for column, person in enumerate(people):
            first, last = np.searchsorted(person.times, [one.start, one.end])
            expected = max(1.0, length * person.rate)
            share = min((last - first) / expected, 1.0)
            if last > first and share >= LEAST_VISIBLE:
                mean = float(np.mean(person.scores[first:last]))
                evidence[row, column] = np.clip(mean, -SURE, SURE) * min(length, LONGEST) * share
                seen[row, column] = True
    return evidence, seen
