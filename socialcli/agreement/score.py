"""Compares two annotations of one recording: the amounts of each measure in each episode of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from socialcli.agreement.annotation import Annotation, resized
from socialcli.agreement.attribution import Attribution, attributions
from socialcli.agreement.criteria import Criteria
from socialcli.agreement.matching import Partners, matched, of_partners
from socialcli.agreement.measures import Amounts
from socialcli.agreement.places import PlaceCounts, count_places, moments, same_places
from socialcli.agreement.scope import Scope, Seconds, common_scope
from socialcli.agreement.speech import Activity, SpeechTimeline, diarization_errors, jaccard_errors, speech_timeline


@dataclass(frozen=True, slots=True)
class SpeakerAgreement:
    """A speaker of the reference in an episode. Counts are of the reference's utterances and boxes."""

    episode_id: str
    video: str
    speaker: str
    partner: str | None  # the speaker's id in the other annotation
    utterances: int
    utterances_right: int
    boxes: int
    boxes_right: int


@dataclass(frozen=True, slots=True)
class EpisodeAgreement:
    """The agreement in an episode of the reference."""

    episode_id: str
    video: str
    amounts: Amounts
    speakers: tuple[SpeakerAgreement, ...]


@dataclass(frozen=True, slots=True)
class RecordingAgreement:
    """The agreement of two annotations of a recording."""

    episodes: tuple[EpisodeAgreement, ...]  # those with time in common
    utterances_outside: int  # of the reference, where the other annotation has no episode
    boxes_outside: int
    resized: bool  # whether the frame has another size in the other annotation


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """What is counted before it is divided into episodes."""

    reference: Annotation
    other: Annotation
    scope: Scope
    criteria: Criteria
    timeline: SpeechTimeline
    places: PlaceCounts
    partners: Partners
    lines: Sequence[Attribution]  # of utterances with a speaker
    placed: Sequence[bool | None]  # whether each is given somebody at its speaker's place; None: that has no box


def compare_annotations(reference: Annotation, other: Annotation, criteria: Criteria) -> RecordingAgreement:
    """Compare an annotation with the reference, where both have episodes.

    Speakers are matched by the seconds in which both speak, plus those in which both are at the same place, weighted
    by the overlap of their boxes. Boxes in frames of another size are scaled to those of the reference.
    """
    frame, other = other.frame, resized(other, reference.frame)
    scope = common_scope(reference, other)
    timeline = speech_timeline(reference, other, scope, criteria.collar)
    places = count_places(moments(reference, other, scope, criteria.box_gap), criteria.least_iou)
    shared = timeline.shared() + places.together
    partners = matched(shared, reference.speakers, other.speakers, criteria.match)
    lines = [one for one in attributions(reference, other, scope, partners) if one.verdict is not None]
    spots = [(one.middle, one.line.speaker or "", one.given) for one in lines]
    placed = same_places(reference, other, spots, criteria.box_gap, criteria.least_iou)
    found = _Compared(reference, other, scope, criteria, timeline, places, partners, lines, placed)
    middles = [(line.start + line.end) / 2 for line in reference.utterances]
    return RecordingAgreement(
        episodes=tuple(_episodes(found)),
        utterances_outside=int((scope.owners_at(middles) < 0).sum()),
        boxes_outside=int((scope.owners_at([box.time for box in reference.boxes]) < 0).sum()),
        resized=frame != reference.frame,
    )


def _episodes(found: _Compared) -> Iterator[EpisodeAgreement]:
    amounts = {**_speech(found), **_boxes(found), **_people(found)}
    for place, episode_id in enumerate(found.scope.episode_ids):
        if not (found.scope.owners == place).any():
            continue
        own = {name: (_rounded(part[place]), _rounded(whole[place])) for name, (part, whole) in amounts.items()}
        mine = [number for number, line in enumerate(found.lines) if line.episode == place]
        lines = [found.lines[number] for number in mine]
        words = _words(lines, [found.placed[number] for number in mine])
        speakers = tuple(_speakers(found, place, lines))
        yield EpisodeAgreement(episode_id, found.reference.video, {**words, **own}, speakers)


def _words(lines: Sequence[Attribution], placed: Sequence[bool | None]) -> Amounts:
    """The amounts of the utterances that have a speaker in the reference."""
    count = {
        verdict: float(sum(line.verdict == verdict for line in lines))
        for verdict in ("right", "wrong", "without speaker", "not found")
    }
    total = float(len(lines))
    right = sum(line.seconds for line in lines if line.verdict == "right")
    return {
        "utterances_right": (count["right"], total),
        "utterances_right_time": (_rounded(right), _rounded(sum(line.seconds for line in lines))),
        "utterances_wrong": (count["wrong"], total),
        "utterances_without_speaker": (count["without speaker"], total),
        "utterances_not_found": (count["not found"], total),
        "utterances_precision": (count["right"], count["right"] + count["wrong"]),
        "utterances_placed": (float(placed.count(True)), float(len(placed) - placed.count(None))),
    }


def _rounded(amount: float) -> float:
    """The amount without the noise of sums of seconds, which differs between machines."""
    return round(float(amount), 9) + 0.0


_ByEpisode = dict[str, tuple[Seconds, Seconds]]


def _speech(found: _Compared) -> _ByEpisode:
    people, match = (found.reference.speakers, found.other.speakers), found.criteria.match
    errors = diarization_errors(found.timeline, *people, match)
    return {
        "der": (errors.missed + errors.false_alarm + errors.confusion, errors.speech),
        "der_missed": (errors.missed, errors.speech),
        "der_false_alarm": (errors.false_alarm, errors.speech),
        "der_confusion": (errors.confusion, errors.speech),
        "jer": jaccard_errors(found.timeline, *people, match),
    }


def _boxes(found: _Compared) -> _ByEpisode:
    places, tracks = found.places, found.places.tracks
    total, others = places.reference.sum(axis=1), places.other.sum(axis=1)
    right, centred, overlaps, both = (
        of_partners(values, found.partners).sum(axis=1)
        for values in (places.hits, places.centred, places.overlaps, places.both)
    )
    # The identities of IDF1 are matched by its own rule, the most boxes that agree (Ristani et al., "Performance
    # measures and a data set for multi-target, multi-camera tracking", ECCV workshops, 2016).
    people = found.reference.speakers, found.other.speakers
    kept = of_partners(places.hits, matched(places.hits, *people, found.criteria.match)).sum(axis=1)
    return {
        "boxes_right": (right, total),
        "boxes_centred": (centred, total),
        "boxes_missing": (total - both, total),
        "boxes_identity": (right, places.covered.sum(axis=1)),
        "mean_iou": (overlaps, both),
        "mota": (total - tracks.misses - tracks.false_boxes - tracks.switches, total),
        "mota_missed": (tracks.misses, total),
        "mota_false": (tracks.false_boxes, total),
        "identity_switches": (tracks.switches, total),
        "idf1": (kept, (total + others) / 2),
    }


def _people(found: _Compared) -> _ByEpisode:
    """Speakers count in an episode in which they speak or have a box."""
    there = (found.timeline.spoken(found.timeline.reference) > 0) | (found.places.reference > 0)
    others = (found.timeline.spoken(found.timeline.other) > 0) | (found.places.other > 0)
    known = _partnered(found.partners, others)
    return {
        "people_missed": ((there & (found.partners < 0)).sum(axis=1), there.sum(axis=1)),
        "people_false": ((others & ~known).sum(axis=1), others.sum(axis=1)),
    }


def _partnered(partners: Partners, others: Activity) -> Activity:
    """Whether each speaker of the other annotation is somebody's partner: (episodes, other)."""
    known: Activity = np.zeros(others.shape, dtype=bool)
    episodes, people = np.nonzero(partners >= 0)
    known[episodes, partners[episodes, people]] = True
    return known


def _speakers(found: _Compared, place: int, lines: Sequence[Attribution]) -> Iterator[SpeakerAgreement]:
    hits = of_partners(found.places.hits, found.partners)[place]
    for number, speaker in enumerate(found.reference.speakers):
        own = [line for line in lines if line.line.speaker == speaker]
        boxes = int(found.places.reference[place, number])
        if not own and not boxes:
            continue
        partner = int(found.partners[place, number])
        yield SpeakerAgreement(
            episode_id=found.scope.episode_ids[place],
            video=found.reference.video,
            speaker=speaker,
            partner=found.other.speakers[partner] if partner >= 0 else None,
            utterances=len(own),
            utterances_right=sum(line.verdict == "right" for line in own),
            boxes=boxes,
            boxes_right=int(hits[number]),
        )
