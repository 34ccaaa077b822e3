"""Suggest which track shows whose voice, from who is on screen while somebody speaks.

A track that is on screen alone while one voice speaks alone probably shows the speaker; so does the only track that is
there during most of a voice's speech. Films also show listeners, so these are suggestions for a person to check.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from socialcli.episodes.tracks import MAX_GAP, ROUNDING

Spans = Mapping[str, Sequence[tuple[float, float]]]
"""By label, the times (start, end) in seconds when it speaks or is seen."""

LEAST_ALONE = 1.0  # seconds alone with a voice that count as evidence
MOST_TOGETHER = 0.2  # seconds that two tracks of one person may be on screen together: a tracker's late end
_MAJORITY = 2 / 3  # of the seconds alone with any voice
_PRESENT, _ABSENT = 0.8, 0.5  # shares of a voice's speech during which its only track is on screen, and others


@dataclass(frozen=True, slots=True)
class Link:
    """How much a track is on screen while a voice speaks.

    `share`: of the voice's speech with the track on screen. `alone`: seconds in which only this voice speaks and only
    this track is on screen. `suggested`: whether the track probably shows the speaker.
    """

    voice: str
    track: str
    share: float
    alone: float
    suggested: bool

    @property
    def reason(self) -> str:
        """Why the link is suggested, in words."""
        if self.alone >= LEAST_ALONE:
            return f"alone on screen in {self.alone:.1f} s of the speech"
        return f"on screen in {self.share:.0%} of the speech, and nobody else"


def presence(boxes: Iterable[tuple[str, float]]) -> Spans:
    """When each track is on screen, from the labels and times of its boxes: gaps of up to a second are bridged."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    for label, time in boxes:
        times[label].append(time)
    return {label: list(_bridged(sorted(moments))) for label, moments in times.items()}


def _bridged(times: Sequence[float]) -> Iterator[tuple[float, float]]:
    start = last = times[0]
    for time in times[1:]:
        if time - last > MAX_GAP + ROUNDING:
            yield start, last
            start = time
        last = time
    yield start, last


def suggest_links(voices: Spans, tracks: Spans) -> list[Link]:
    """Every pair of a voice and a track that are there together, by voice; the best track of a voice first."""
    overlap = _Overlap.of(voices, tracks)
    chosen = _without_doubles(overlap, dict(_alone(overlap)), tracks)
    chosen |= {track: voice for track, voice in _present(overlap) if track not in chosen}
    links = [
        Link(voice, track, seconds / overlap.speech[voice], overlap.alone[voice, track], chosen.get(track) == voice)
        for (voice, track), seconds in overlap.together.items()
    ]
    order = {voice: place for place, voice in enumerate(voices)}
    return sorted(links, key=lambda one: (order[one.voice], not one.suggested, -one.alone, -one.share, one.track))


def same_voices(voices: Spans, others: Spans) -> dict[str, str]:
    """The voices whose speech is mostly that of one of the `others`: labels of lines for a diarizer's speakers."""
    together = _Overlap.of(voices, others).together
    return {voice: other for other, voice in _majorities({(other, voice): s for (voice, other), s in together.items()})}


@dataclass(frozen=True, slots=True)
class _Overlap:
    """Seconds: of each voice's `speech`; of each voice and track `together`, and `alone` with each other."""

    speech: defaultdict[str, float]
    together: defaultdict[tuple[str, str], float]
    alone: defaultdict[tuple[str, str], float]

    @classmethod
    def of(cls, voices: Spans, tracks: Spans) -> _Overlap:
        found = cls(defaultdict(float), defaultdict(float), defaultdict(float))
        for seconds, speaking, seen in _segments(voices, tracks):
            for voice in speaking:
                found.speech[voice] += seconds
                for track in seen:
                    found.together[voice, track] += seconds
            if len(speaking) == len(seen) == 1:
                found.alone[speaking[0], seen[0]] += seconds
        return found


def _segments(voices: Spans, tracks: Spans) -> Iterator[tuple[float, list[str], list[str]]]:
    """The stretches of time in which nobody begins or ends: their length, who speaks and who is seen."""
    events: list[tuple[float, int, str, int]] = []
    for kind, spans in enumerate((voices, tracks)):
        for label, times in spans.items():
            for start, end in times:
                events += [(start, kind, label, 1), (end, kind, label, -1)]
    now: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    before = 0.0
    for time, kind, label, step in sorted(events):
        if time > before and now[0]:
            yield time - before, sorted(now[0]), sorted(now[1])
        before = time
        now[kind][label] += step
        if not now[kind][label]:
            del now[kind][label]


def _alone(overlap: _Overlap) -> Iterator[tuple[str, str]]:
    """The tracks with the voice that they are mostly alone with."""
    for voice, track in _majorities(overlap.alone):
        yield track, voice


def _majorities(seconds: Mapping[tuple[str, str], float]) -> Iterator[tuple[str, str]]:
    """For each second item of the pairs, the pair that has most of its seconds, if there is enough."""
    totals: defaultdict[str, float] = defaultdict(float)
    for (_, item), one in seconds.items():
        totals[item] += one
    for (first, item), one in sorted(seconds.items()):
        if one >= max(LEAST_ALONE, _MAJORITY * totals[item]):
            yield first, item


def _present(overlap: _Overlap) -> Iterator[tuple[str, str]]:
    """The tracks with the voice during whose speech, and no other's, they are on screen, and no other track is."""
    shares = {(voice, track): one / overlap.speech[voice] for (voice, track), one in overlap.together.items()}
    often: Counter[tuple[str, str]] = Counter()
    for (voice, track), share in shares.items():
        if share > _ABSENT:
            often.update([("voice", voice), ("track", track)])
    for (voice, track), share in sorted(shares.items()):
        if share >= _PRESENT and often["voice", voice] == 1 and often["track", track] == 1:
            yield track, voice


def _without_doubles(overlap: _Overlap, chosen: Mapping[str, str], tracks: Spans) -> dict[str, str]:
    """The links, without those to a second track that is on screen together with a better one of the same voice."""
    kept: dict[str, str] = {}
    for track, voice in sorted(chosen.items(), key=lambda one: (-overlap.alone[one[1], one[0]], one)):
        others = [other for other, its in kept.items() if its == voice]
        if all(_shared_seconds(tracks[track], tracks[other]) <= MOST_TOGETHER for other in others):
            kept[track] = voice
    return kept


def _shared_seconds(spans: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]) -> float:
    return sum(max(0.0, min(end, stop) - max(start, begin)) for start, end in spans for begin, stop in others)
