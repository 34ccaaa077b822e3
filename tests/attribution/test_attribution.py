"""Who says what, on recordings whose truth is known: mouths that move, voices that repeat, people who hide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from socialcli.attribution.activity import Activity, Spoken, visual_evidence
from socialcli.attribution.attribution import Attribution, attribute

RATE = 25.0


def turns(speakers: Sequence[int], length: float = 1.5, labels: Sequence[str] | None = None) -> list[Spoken]:
    """One utterance after the other, with pauses of half a second."""
    return [
        Spoken(index * (length + 0.5), index * (length + 0.5) + length, None if labels is None else labels[speaker])
        for index, speaker in enumerate(speakers)
    ]


def watched(
    speakers: Sequence[int],
    people: int,
    seed: int = 0,
    strength: float = 1.0,
    hidden: dict[int, set[int]] | None = None,
) -> list[Activity]:
    """Faces that speak in their own turns, with noise; `hidden`: the turns in which a person is off screen."""
    random = np.random.default_rng(seed)
    spoken = turns(speakers)
    times = np.arange(0, spoken[-1].end + 0.5, 1 / RATE)
    found = []
    for person in range(people):
        speaks = np.zeros(times.size, dtype=bool)
        seen = np.ones(times.size, dtype=bool)
        for index, (one, speaker) in enumerate(zip(spoken, speakers, strict=True)):
            inside = (times >= one.start) & (times < one.end)
            speaks |= inside & (speaker == person)
            if hidden and index in hidden.get(person, set()):
                seen &= ~inside
        scores = strength * np.where(speaks, 2.0, -2.0) + random.normal(0, 1, times.size)
        found.append(Activity(times[seen], scores[seen], RATE))
    return found


def voices(speakers: Sequence[int], noise: float = 0.3, seed: int = 1) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(speakers) + 1, 32))
    heard = [centres[one] / np.linalg.norm(centres[one]) + random.normal(0, noise / 6, 32) for one in speakers]
    return [(one / np.linalg.norm(one)).astype(np.float32) for one in heard]


def given(found: Attribution) -> list[int | None]:
    return [one.person for one in found.utterances]


TURNS = [0, 1, 2, 0, 2, 1, 1, 0]


def test_moving_mouths_say_who_speaks() -> None:
    found = attribute(turns(TURNS), watched(TURNS, 3), [None] * len(TURNS))
    assert given(found) == TURNS
    assert min(one.confidence for one in found.utterances) > 0.95


def test_a_voice_says_who_speaks_off_screen() -> None:
    hidden = {0: {3, 7}, 1: {6}}
    people = watched(TURNS, 3, hidden=hidden)
    assert given(attribute(turns(TURNS), people, voices(TURNS))) == TURNS
    silent = attribute(turns(TURNS), people, [None] * len(TURNS))
    assert given(silent)[:3] == TURNS[:3]
    sure = attribute(turns(TURNS), people, voices(TURNS)).utterances[7].confidence
    assert sure > silent.utterances[7].confidence  # picture alone only leaves who it can be


def test_somebody_who_is_never_seen_is_nobody() -> None:
    speakers = [0, 2, 1, 2, 0, 1, 2]
    found = attribute(turns(speakers), watched(speakers, 2), voices(speakers))
    assert given(found) == [0, None, 1, None, 0, 1, None]


def test_a_label_collects_what_its_utterances_show() -> None:
    names = ["anna", "ben", "cleo"]
    people = watched(TURNS, 3, strength=0.15, seed=3)  # weak: some single utterances go wrong
    alone = attribute(turns(TURNS), people, [None] * len(TURNS))
    labelled = attribute(turns(TURNS, labels=names), people, [None] * len(TURNS))
    assert given(labelled) == TURNS
    assert {label: one.person for label, one in labelled.labels.items()} == {"anna": 0, "ben": 1, "cleo": 2}
    assert np.mean([one.confidence for one in labelled.utterances]) > np.mean([o.confidence for o in alone.utterances])


def test_two_labels_are_never_one_person() -> None:
    spoken = [Spoken(0, 2, "anna"), Spoken(2.5, 4.5, "ben")]
    times = np.arange(0, 5, 1 / RATE)
    loud = Activity(times, np.full(times.size, 2.0), RATE)  # chews all the time
    calm = Activity(times, np.where(times < 2.2, -3.0, -0.5), RATE)
    found = attribute(spoken, [loud, calm], [None, None])
    assert given(found) == [0, 1]


@pytest.mark.parametrize("voiced", [False, True])
def test_without_evidence_nobody_is_sure(voiced: bool) -> None:
    """Six people of whom no mouth moves; and voices that all sound the same."""
    spoken = turns(TURNS)
    times = np.arange(0, spoken[-1].end, 1 / RATE)
    people = [Activity(times, np.zeros(times.size), RATE) for _ in range(6)]
    same = voices([0] * len(TURNS)) if voiced else [None] * len(TURNS)
    assert max(one.confidence for one in attribute(spoken, people, same).utterances) < 0.3


def test_a_known_voice_names_its_person_at_once() -> None:
    """Two faces that never move the mouth; the voice clips of a cast tell them apart."""
    speakers = [0, 1, 0, 1, 1, 0]
    heard = voices([*speakers, 0, 1])
    times = np.arange(0, 14, 1 / RATE)
    people = [Activity(times, np.zeros(times.size), RATE) for _ in range(2)]
    found = attribute(turns(speakers), people, heard[:6], references=heard[6:])
    assert given(found) == speakers


def test_what_is_seen_of_an_utterance_counts_by_its_length() -> None:
    times = np.arange(0, 10, 1 / RATE)
    person = Activity(times, np.ones(times.size), RATE)
    evidence, seen = visual_evidence([Spoken(0, 1), Spoken(0, 2), Spoken(0, 9), Spoken(9.9, 11)], [person])
    assert evidence[:, 0].tolist() == pytest.approx([1.0, 2.0, 3.0, 0.0])
    assert seen[:, 0].tolist() == [True, True, True, False]


def test_nothing_to_attribute() -> None:
    assert attribute([], [], []) == Attribution((), {})
    (alone,) = attribute([Spoken(0, 1)], [], [None]).utterances
    assert alone.person is None
