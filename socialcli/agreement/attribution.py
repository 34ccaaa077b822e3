"""To whom the other annotation gives the words of each utterance of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from socialcli.agreement.annotation import Annotation
from socialcli.agreement.matching import Partners
from socialcli.agreement.scope import Scope
from socialcli.episodes.records import Utterance

Verdict = Literal["right", "wrong", "without speaker", "not found"]

FOUND = 0.5  # an utterance is in the other annotation if words there cover this share of it
_INSTANT = 0.0005  # seconds by which utterances are widened to each side: some begin and end at the same time


@dataclass(frozen=True, slots=True)
class Attribution:
    """An utterance of the reference, and what the other annotation makes of it."""

    line: Utterance
    episode: int  # its index in the scope
    verdict: Verdict | None  # None: the reference does not know the speaker
    given: str | None = None  # the speaker in the other annotation, if it has the utterance and a speaker

    @property
    def seconds(self) -> float:
        """The length of the utterance."""
        return self.line.end - self.line.start

    @property
    def middle(self) -> float:
        """The time of its middle."""
        return (self.line.start + self.line.end) / 2


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An utterance of the other annotation, and how long it goes with one of the reference."""

    line: Utterance
    shared: float
    seconds: float


def attributions(reference: Annotation, other: Annotation, scope: Scope, partners: Partners) -> list[Attribution]:
    """The attributions of the reference's utterances in the scope; an utterance lies where its middle does.

    The other annotation may cut speech into other utterances. So the speaker there is the one whose utterances fit
    best in time: shared time as a share of all time of these utterances and this one. Of several that fit alike, the
    one who says the same text; else the first.
    """
    places = {name: place for place, name in enumerate(reference.speakers)}
    owners = scope.owners_at([(line.start + line.end) / 2 for line in reference.utterances])
    found = []
    for line, owner, candidates in zip(
        reference.utterances, owners, _simultaneous(reference.utterances, other.utterances), strict=True
    ):
        if owner < 0:
            continue
        if line.speaker is None:
            found.append(Attribution(line, int(owner), None))
            continue
        partner = int(partners[owner, places[line.speaker]])
        verdict, given = _verdict(line, candidates, other.speakers[partner] if partner >= 0 else None)
        found.append(Attribution(line, int(owner), verdict, given))
    return found


def _verdict(line: Utterance, candidates: Sequence[_Candidate], partner: str | None) -> tuple[Verdict, str | None]:
    """The verdict on an utterance whose speaker has this partner, and the speaker whom it is given."""
    if _covered(line, candidates) < FOUND:
        return "not found", None
    by_speaker: dict[str | None, list[_Candidate]] = {}
    for one in candidates:
        by_speaker.setdefault(one.line.speaker, []).append(one)
    speaker = max(by_speaker, key=lambda name: _fit(line, by_speaker[name]))
    if speaker is None:
        return "without speaker", None
    return "right" if speaker == partner else "wrong", speaker


def _fit(line: Utterance, candidates: Sequence[_Candidate]) -> tuple[float, bool]:
    """How well utterances of a speaker fit one of the reference: intersection over union in time, and equal text."""
    shared = sum(one.shared for one in candidates)
    united = _length(line) + sum(one.seconds for one in candidates) - shared
    return shared / united, any(one.line.text == line.text for one in candidates)


def _covered(line: Utterance, candidates: Sequence[_Candidate]) -> float:
    """The share of an utterance in which any candidate speaks."""
    reached, covered = line.start - _INSTANT, 0.0
    for one in candidates:  # by their start
        start, end = max(one.line.start - _INSTANT, reached), min(one.line.end, line.end) + _INSTANT
        covered += max(end - start, 0.0)
        reached = max(reached, end)
    return covered / _length(line)


def _simultaneous(reference: Sequence[Utterance], other: Sequence[Utterance]) -> Iterator[list[_Candidate]]:
    """The utterances of `other` that share time with each of the reference, by their start."""
    others = sorted(other, key=lambda line: line.start)
    starts, ends = (np.array([getattr(line, name) for line in others]) for name in ("start", "end"))
    for line in reference:
        shared = np.minimum(ends, line.end) - np.maximum(starts, line.start) + 2 * _INSTANT
        yield [
            _Candidate(others[place], float(shared[place]), _length(others[place]))
            for place in np.flatnonzero(shared > 0)
        ]


def _length(line: Utterance) -> float:
    return line.end - line.start + 2 * _INSTANT
