"""Annotate a recording: who is on screen, whose words are whose, and where speakers are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from socialcli.annotating.activity import activities
from socialcli.attribution.activity import Spoken
from socialcli.attribution.attribution import Attribution, Guess, attribute
from socialcli.converting.transcripts.lines import Line
from socialcli.episodes.records import Box, Speaker, Utterance
from socialcli.perception.contract import Rectangle, SpeechScores, Voices
from socialcli.perception.people import HEAD_AND_SHOULDERS, Person, grown, join, standing
from socialcli.perception.sight import Sight
from socialcli.video.sound import Sound, sound_of
from socialcli.video.streaming import stream_frames

LEAST_CONFIDENCE = 0.6  # of two people, a guess has 0.5
UNHEARD = 0.3  # of the log-odds of a face, in a recording without sound: lips that move may chew or smile
SHORTEST = 2.0  # seconds on screen of people who never speak, below which they are left out

BoxesOf = Literal["face", "shoulders", "person"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What sees and hears."""

    sight: Sight
    voices: Voices
    scores: SpeechScores | None = None  # of an active speaker detector; None: by the motion of mouths


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How evidence becomes an annotation."""

    boxes: BoxesOf = "person"  # what a face detector's boxes become: head and shoulders, or a person who stands
    grow: float = HEAD_AND_SHOULDERS  # the width of shoulders in widths of a face
    least_confidence: float = LEAST_CONFIDENCE


@dataclass(frozen=True, slots=True)
class Found:
    """A person of the recording, as the user may check it."""

    speaker: str
    label: str | None  # in the transcript
    confidence: float  # that this person is this label, or said the utterances given to them; 0: nothing was said
    seconds: float  # on screen


@dataclass(frozen=True, slots=True)
class Annotation:
    """A recording with speakers, utterances and boxes, both in order of time."""

    speakers: tuple[Speaker, ...]
    utterances: tuple[Utterance, ...]
    confidences: tuple[float, ...]  # of the utterances' speakers
    boxes: tuple[Box, ...]
    people: tuple[Found, ...]  # those on screen


def annotate(path: Path, lines: Sequence[Line], size: tuple[int, int], parts: Parts, rules: Rules) -> Annotation:
    """Annotate a recording of `size` (width, height) whose words are `lines`, in order of time.

    The video is decoded twice: to find people, and to watch their mouths. Raises VideoError, and MissingPackageError.
    """
    shots = list(parts.sight.shots(stream_frames(path)))
    people = join([track for shot in shots for track in shot.tracks])

    def sound(start: float, end: float) -> Sound | None:
        return sound_of(path, start, end)

    watched = activities(stream_frames(path), people, parts.sight.rate, sound, parts.scores)
    spoken = [Spoken(one.start, one.end, one.speaker) for one in lines]
    heard = [sound(one.start, one.end) for one in lines]
    voices = [None if one is None else parts.voices.embedding(one) for one in heard]
    if all(one is None for one in heard):
        watched = [replace(one, scores=UNHEARD * one.scores) for one in watched]
    return annotated(lines, people, attribute(spoken, watched, voices), size, parts.sight, rules)


def annotated(
    lines: Sequence[Line],
    people: Sequence[Person],
    found: Attribution,
    size: tuple[int, int],
    sight: Sight,
    rules: Rules,
) -> Annotation:
    """Name people by their labels, or number them, and leave out what is not sure."""
    seconds = [len(person.detections) / sight.rate for person in people]
    names = _names(found, seconds, rules.least_confidence)
    utterances = tuple(
        Utterance(f"u{number}", line.start, line.end, line.text, _speaker(line, who, names, rules.least_confidence))
        for number, (line, who) in enumerate(zip(lines, found.utterances, strict=True), start=1)
    )
    boxes = [
        _box(name, number / sight.rate, one.box, size, sight, rules)
        for place, name in names.items()
        for number, one in people[place].detections.items()
    ]
    labels = {line.speaker for line in lines}
    speakers = dict.fromkeys([line.speaker for line in lines if line.speaker is not None] + list(names.values()))
    confidence = found.by_person(len(people))
    return Annotation(
        speakers=tuple(Speaker(name, name if name in labels else None) for name in speakers),
        utterances=utterances,
        confidences=tuple(who.confidence for who in found.utterances),
        boxes=tuple(sorted(boxes, key=lambda box: (box.time, box.speaker))),
        people=tuple(
            Found(name, name if name in labels else None, confidence[place], seconds[place])
            for place, name in names.items()
        ),
    )


def _names(found: Attribution, seconds: Sequence[float], least: float) -> dict[int, str]:
    """The speaker's id of each person that is annotated, by the person's place.

    A person has the label that they surely are. The others are numbered, in order of appearance; without a label of
    their own they are only there if no label is open, since they may be those.
    """
    sure = {who.person: label for label, who in found.labels.items() if who.confidence >= least}
    open_labels = sum(who.confidence < least for who in found.labels.values())
    spoke = {who.person for who in found.utterances if who.confidence >= least}
    names: dict[int, str] = {}
    number = 0
    for place, shown in enumerate(seconds):
        if place in sure:
            names[place] = sure[place]
        elif not open_labels and (place in spoke or shown >= SHORTEST):
            number += 1
            while f"person{number}" in found.labels:
                number += 1
            names[place] = f"person{number}"
    return names


def _speaker(line: Line, who: Guess, names: Mapping[int, str], least: float) -> str | None:
    """The speaker's id of a line: its label, or the person who surely says it."""
    if line.speaker is not None or who.person is None or who.confidence < least:
        return line.speaker
    return names.get(who.person)


def _box(speaker: str, time: float, box: Rectangle, size: tuple[int, int], sight: Sight, rules: Rules) -> Box:
    if sight.finds == "face" and rules.boxes != "face":
        box = standing(box, *size) if rules.boxes == "person" else grown(box, *size, rules.grow)
    return Box(speaker, time, box.x0, box.y0, box.x1, box.y1)
