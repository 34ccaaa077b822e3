"""The speaker of each utterance, from moving mouths and from voices.

Everybody on screen, and one unseen person, can have said an utterance. The log-odds of what is seen and of the voice
add up; the voices of people are learned from the utterances that they seem to have said, and these are decided again
with the voices, until nothing changes (expectation maximization, with hard constraints: utterances with one label have
one speaker, and different labels have different speakers).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from socialcli.attribution.activity import Activity, Floats, Spoken, visual_evidence
from socialcli.attribution.voices import voice_evidence

HIDDEN = -1.0  # log-odds that somebody known who is not seen in an utterance says it
UNSEEN = -2.0  # that somebody says it who is never seen
ROUNDS = 20  # of expectation maximization, at most; a recording takes three or four
STILL = 1e-4  # change of a probability below which it has ended
LABEL_SURE = 8.0  # log-odds at most that a label collects: its utterances depend on each other

_NEVER = -1e6  # the score of a pair that cannot be

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Guess:
    """Who says an utterance, or all of a label."""

    person: int | None  # the index of the person; None: somebody who is never seen, or nobody can say
    confidence: float  # the probability that this is right, by the evidence


@dataclass(frozen=True, slots=True)
class Attribution:
    """The speakers of a recording."""

    utterances: Sequence[Guess]  # in order
    labels: dict[str, Guess]  # of those that the transcript or a diarizer has

    def by_person(self, count: int) -> list[float]:
        """For each of `count` people the confidence of the utterances that they are given, on average; 0 for none."""
        found: list[list[float]] = [[] for _ in range(count)]
        for one in self.utterances:
            if one.person is not None:
                found[one.person].append(one.confidence)
        return [float(np.mean(some)) if some else 0.0 for some in found]


def attribute(
    spoken: Sequence[Spoken],
    people: Sequence[Activity],
    voices: Sequence[Vector | None],
    references: Sequence[Vector | None] = (),
) -> Attribution:
    """Give each utterance to one of the `people`, or to nobody.

    `voices` are those of the utterances, of length 1, None where unknown; `references` those of the people, where they
    are known beforehand. Without people, or without any evidence, nobody is named with a confidence to speak of.
    """
    if not spoken:
        return Attribution((), {})
    units = _units(spoken)
    evidence, seen = visual_evidence(spoken, people)
    prior = np.where(seen, 0.0, HIDDEN)
    visible = np.concatenate([evidence + prior, np.full((len(spoken), 1), UNSEEN)], axis=1)
    stacked = _stacked(voices, len(spoken))
    known = None if not any(one is not None for one in references) else _stacked(references, len(people))
    shares = _shares(visible, spoken, units)
    for _ in range(ROUNDS):
        heard = None if stacked is None else voice_evidence(stacked, shares[:, :-1], known)
        if heard is None:
            break
        odds = visible + np.pad(heard, ((0, 0), (0, 1)))
        before, shares = shares, _shares(odds, spoken, units)
        if np.abs(shares - before).max() < STILL:
            break
    return _decided(shares, spoken, units)


def _units(spoken: Sequence[Spoken]) -> list[list[int]]:
    """The indices of utterances that have one speaker for certain: those of a label, and each one without."""
    labelled: dict[str, list[int]] = {}
    alone: list[list[int]] = []
    for index, one in enumerate(spoken):
        if one.label is None:
            alone.append([index])
        else:
            labelled.setdefault(one.label, []).append(index)
    return [*labelled.values(), *alone]


def _shares(odds: Floats, spoken: Sequence[Spoken], units: Sequence[Sequence[int]]) -> Floats:
    """The probability (U, P + 1) of each person, the unseen one last, by the sum of what a unit's utterances say."""
    sums = np.array([np.clip(odds[list(unit)].sum(axis=0), -LABEL_SURE, LABEL_SURE) for unit in units])
    labelled = [row for row, unit in enumerate(units) if spoken[unit[0]].label is not None]
    probabilities = _softmax(sums)
    if len(labelled) > 1:
        probabilities[labelled] = _exclusive(sums[labelled])
    shares = np.zeros(odds.shape)
    for unit, row in zip(units, probabilities, strict=True):
        shares[list(unit)] = row
    return shares


def _exclusive(sums: Floats) -> Floats:
    """Probabilities (L, P + 1) of labels, of which no two are the same person; several may be unseen people.

    Those of a label are the softmax of the best assignments in which it is this or that person (max-marginals).
    """
    best = np.array([[_best_sum(sums, row, column) for column in range(sums.shape[1])] for row in range(len(sums))])
    return _softmax(best)


def _best_sum(sums: Floats, row: int, column: int) -> float:
    """The largest sum of an assignment of labels to people, one to one, or to the unseen one, that has a given pair."""
    rows, people = sums.shape[0], sums.shape[1] - 1
    wide = np.full((rows, people + rows), _NEVER)  # an unseen person for each label
    wide[:, :people] = sums[:, :people]
    wide[np.arange(rows), people + np.arange(rows)] = sums[:, -1]
    fixed = column if column < people else people + row
    kept = wide[row, fixed]
    wide[row] = _NEVER
    wide[row, fixed] = kept
    chosen = linear_sum_assignment(wide, maximize=True)
    return float(wide[chosen].sum())


def _softmax(sums: Floats) -> Floats:
    odds = np.exp(sums - sums.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _stacked(vectors: Sequence[Vector | None], count: int) -> Floats | None:
    """The vectors as rows, zeros for those that are missing; None where all are."""
    width = next((one.size for one in vectors if one is not None), None)
    if width is None:
        return None
    rows = np.zeros((count, width))
    for row, vector in zip(rows, vectors, strict=False):
        if vector is not None:
            row[:] = vector
    return rows


def _decided(shares: Floats, spoken: Sequence[Spoken], units: Sequence[Sequence[int]]) -> Attribution:
    people = shares.shape[1] - 1
    best = shares.argmax(axis=1)
    speakers = [
        Guess(None if person == people else int(person), float(share[person]))
        for person, share in zip(best, shares, strict=True)
    ]
    labels = {label: speakers[unit[0]] for unit in units if (label := spoken[unit[0]].label) is not None}
    return Attribution(speakers, labels)
