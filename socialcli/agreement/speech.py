"""Who speaks when in two annotations, on a common division of time, and the diarization error rates of it.

Diarization error rate: "The Rich Transcription 2009 (RT-09) meeting recognition evaluation plan", NIST, 2009. Jaccard
error rate: Ryant et al., "The second DIHARD diarization challenge", Interspeech 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from socialcli.agreement.annotation import Annotation
from socialcli.agreement.criteria import Match
from socialcli.agreement.matching import Weights, matched, of_partners
from socialcli.agreement.scope import Owners, Scope, Seconds
from socialcli.episodes.records import Utterance

Activity = npt.NDArray[np.bool_]  # (speakers, intervals)


@dataclass(frozen=True, slots=True, eq=False)
class SpeechTimeline:
    """Time cut at every beginning and end of speech, so that who speaks is constant in each interval."""

    seconds: Seconds  # (intervals,), the length of each
    owners: Owners  # (intervals,): -1 where time is not compared, or where the reference does not know who speaks
    reference: Activity
    other: Activity
    nameless: Activity  # (intervals,): the other annotation has speech without a speaker
    collar: Activity  # (intervals,): close to where speech of the reference begins or ends
    episodes: int

    def shared(self, counted: Activity | None = None) -> Weights:
        """Seconds in which two speakers both speak: (episodes, reference, other); of `counted` intervals only."""
        weights = self.seconds if counted is None else self.seconds * counted
        parts = [(self.reference[:, mine] * weights[mine]) @ self.other[:, mine].T for mine in self._by_episode()]
        return np.array(parts, dtype=np.float64).reshape(self.episodes, len(self.reference), len(self.other))

    def spoken(self, activity: Activity) -> Weights:
        """Seconds in which each speaker of an activity speaks: (episodes, speakers)."""
        parts = [activity[:, mine] @ self.seconds[mine] for mine in self._by_episode()]
        return np.array(parts, dtype=np.float64).reshape(self.episodes, len(activity))

    def added(self, values: Seconds) -> Seconds:
        """The sum of an interval's values for each episode: (episodes,)."""
        inside = self.owners >= 0
        sums = np.bincount(self.owners[inside], weights=values[inside], minlength=self.episodes)
        return sums.astype(np.float64)  # without any interval they are integers

    def _by_episode(self) -> Iterable[npt.NDArray[np.int64]]:
        """The intervals of each episode."""
        order = np.argsort(self.owners, kind="stable")
        edges = np.searchsorted(self.owners[order], np.arange(self.episodes + 1))
        return (order[start:end] for start, end in pairwise(edges))


def speech_timeline(reference: Annotation, other: Annotation, scope: Scope, collar: float) -> SpeechTimeline:
    """The timeline of two annotations; `collar` is in seconds, to each side of a boundary of the reference."""
    lines = [line for line in (*reference.utterances, *other.utterances) if line.end > line.start]
    named = [line for line in reference.utterances if line.speaker is not None and line.end > line.start]
    collars = [(edge - collar, edge + collar) for line in named for edge in (line.start, line.end)]
    cuts = [edge for line in lines for edge in (line.start, line.end)]
    cuts += [edge for pair in collars for edge in pair] + list(scope.bounds[np.isfinite(scope.bounds)])
    edges = np.unique(cuts) if cuts else np.zeros(1)
    unknown = _active(reference.utterances, [None], edges)[0]
    owners = scope.owners_at((edges[:-1] + edges[1:]) / 2)
    return SpeechTimeline(
        seconds=np.diff(edges),
        owners=np.where(unknown, -1, owners),
        reference=_active(reference.utterances, reference.speakers, edges),
        other=_active(other.utterances, other.speakers, edges),
        nameless=_active(other.utterances, [None], edges)[0],
        collar=_marked(collars, edges),
        episodes=len(scope.episode_ids),
    )


@dataclass(frozen=True, slots=True, eq=False)
class DiarizationErrors:
    """Seconds by episode, (episodes,): errors of speaker time, and the reference's speech that they are a share of."""

    missed: Seconds  # more people speak than the other annotation has
    false_alarm: Seconds  # fewer do
    confusion: Seconds  # as many do, but others
    speech: Seconds  # a second in which two people speak is two


def diarization_errors(
    timeline: SpeechTimeline, reference: Sequence[str], other: Sequence[str], match: Match
) -> DiarizationErrors:
    """The parts of the diarization error rate, overlapping speech included, the collar left out.

    Its speakers are matched by shared speech alone, as its definition says. Speech without a speaker is a voice that
    is nobody's: confusion where the reference has speech.
    """
    counted = ~timeline.collar
    shared = timeline.shared(counted)
    agreed = of_partners(shared, matched(shared, reference, other, match)).sum(axis=1)
    people = timeline.reference.sum(axis=0)
    voices = timeline.other.sum(axis=0) + timeline.nameless
    weights = timeline.seconds * counted
    return DiarizationErrors(
        missed=timeline.added(weights * np.maximum(people - voices, 0)),
        false_alarm=timeline.added(weights * np.maximum(voices - people, 0)),
        confusion=np.maximum(timeline.added(weights * np.minimum(people, voices)) - agreed, 0.0),
        speech=timeline.added(weights * people),
    )


def jaccard_errors(
    timeline: SpeechTimeline, reference: Sequence[str], other: Sequence[str], match: Match
) -> tuple[Seconds, Seconds]:
    """The sum of the Jaccard errors of each episode's speakers, and their number: (episodes,) each. No collar.

    A speaker's error is 1 - shared speech / all speech of the speaker and the partner; 1 without a partner. Partners
    are chosen so that the sum of the errors is smallest.
    """
    shared = timeline.shared()
    spoken, voiced = timeline.spoken(timeline.reference), timeline.spoken(timeline.other)
    partners = matched(_jaccard(shared, spoken, voiced, match), reference, other, match)
    united = of_partners(spoken[:, :, None] + voiced[:, None, :] - shared, partners)
    common = of_partners(shared, partners)
    errors = 1 - np.divide(common, united, out=np.zeros_like(common), where=united > 0)
    speaking = spoken > 0
    return np.maximum(errors * speaking, 0.0).sum(axis=1), speaking.sum(axis=1).astype(np.float64)


def _jaccard(shared: Weights, spoken: Weights, voiced: Weights, match: Match) -> Weights:
    """Shared speech as a share of both speakers' speech, over what `match` matches at once."""
    if match == "recording":
        shared, spoken, voiced = (one.sum(axis=0, keepdims=True) for one in (shared, spoken, voiced))
    united = spoken[:, :, None] + voiced[:, None, :] - shared
    return np.divide(shared, united, out=np.zeros_like(shared), where=united > 0)


def _active(utterances: Iterable[Utterance], speakers: Sequence[str | None], edges: Seconds) -> Activity:
    spans: dict[str | None, list[tuple[float, float]]] = {}
    for line in utterances:
        spans.setdefault(line.speaker, []).append((line.start, line.end))
    parts = [_marked(spans.get(speaker, []), edges) for speaker in speakers]
    return np.array(parts, dtype=bool).reshape(len(speakers), len(edges) - 1)


def _marked(spans: Iterable[tuple[float, float]], edges: Seconds) -> Activity:
    """The intervals between `edges` that lie in a span, whose ends are among the edges."""
    marked = np.zeros(len(edges) - 1, dtype=bool)
    for start, end in spans:
        marked[np.searchsorted(edges, start) : np.searchsorted(edges, end)] = True
    return marked
