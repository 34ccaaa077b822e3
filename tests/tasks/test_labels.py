"""What speakers are called."""

from __future__ import annotations

import pytest

from socialcli.episodes.records import Speaker
from socialcli.tasks.labels import speaker_labels, speaker_numbers


def labels(*speakers: Speaker, named: bool = True) -> list[str]:
    return list(speaker_labels(speakers, named).values())


def test_speakers_go_by_name_only_where_names_are_wanted_and_there() -> None:
    people = (Speaker("a", "Ana"), Speaker("b"), Speaker("c", "Cleo"))
    assert labels(*people) == ["Ana", "Speaker 2", "Cleo"]
    assert labels(*people, named=False) == ["Speaker 1", "Speaker 2", "Speaker 3"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["speaker3", "speaker1"], ["3", "1"]),
        (["Player_3", "player-10", "PERSON 0"], ["3", "10", "0"]),
        (["speaker007", "speaker8"], ["7", "8"]),
        (["speaker1", "speaker01"], ["1", "2"]),  # the same number twice: places count
        (["speaker3", "speaker1", "narrator"], ["1", "2", "3"]),  # not all of the form
        (["p3", "p1"], ["1", "2"]),
        (["speaker3x", "speaker1x"], ["1", "2"]),
        ([], []),
    ],
)
def test_numbers_come_from_ids_where_all_have_one_and_else_from_places(ids: list[str], expected: list[str]) -> None:
    assert list(speaker_numbers([Speaker(id) for id in ids]).values()) == expected
    assert labels(*map(Speaker, ids)) == [f"Speaker {number}" for number in expected]


def test_a_name_is_made_harmless() -> None:
    assert labels(Speaker("a", "Zoe\u0308\n<video>")) == ["Zo\u00eb ‹video›"]


def test_a_name_without_a_visible_character_is_none() -> None:
    assert labels(Speaker("a", " \x00 ")) == ["Speaker 1"]


def test_a_name_of_several_people_names_nobody() -> None:
    people = (Speaker("a", "John"), Speaker("b", "John"), Speaker("c", "Ana"))
    assert labels(*people) == ["Speaker 1", "Speaker 2", "Ana"]


def test_a_name_like_a_number_is_not_taken_for_another_speaker() -> None:
    assert labels(Speaker("a", "Speaker 2"), Speaker("b")) == ["Speaker 1", "Speaker 2"]
    assert labels(Speaker("a"), Speaker("b", "Speaker 2")) == ["Speaker 1", "Speaker 2"]
