from __future__ import annotations

import pytest

from .samples import Line, amounts, an_episode

LINES: list[Line] = [(0.0, 4.0, "anna"), (4.0, 8.0, "ben"), (8.0, 10.0, "anna")]


def verdicts(reference: list[Line], other: list[Line], **criteria: object) -> dict[str, float]:
    found = amounts(an_episode(reference), an_episode(other), **criteria)
    names = ("right", "wrong", "without_speaker", "not_found")
    total = found["utterances_right"][1]
    assert sum(found[f"utterances_{name}"][0] for name in names) == total
    return {name: found[f"utterances_{name}"][0] for name in names if found[f"utterances_{name}"][0]} | {"of": total}


def test_every_utterance_has_one_verdict() -> None:
    other: list[Line] = [(0.0, 4.0, "x"), (4.0, 8.0, "y"), (8.0, 10.0, "y")]
    assert verdicts(LINES, other) == {"right": 2, "wrong": 1, "of": 3}
    assert verdicts(LINES, [(0.0, 4.0, "x"), (4.0, 8.0, None)]) == {
        "right": 1, "without_speaker": 1, "not_found": 1, "of": 3
    }  # fmt: skip
    assert verdicts(LINES, []) == {"not_found": 3, "of": 3}


def test_time_weighs_utterances_by_their_length_and_precision_counts_given_speakers() -> None:
    found = amounts(an_episode(LINES), an_episode([(0.0, 4.0, "x"), (4.0, 8.0, None), (8.0, 10.0, "y")]), match="id")
    assert found["utterances_precision"] == (0.0, 2.0)
    found = amounts(an_episode(LINES), an_episode([(0.0, 4.0, "anna"), (4.0, 8.0, None), (8.0, 10.0, "y")]), match="id")
    assert found["utterances_right_time"] == (4.0, 10.0)
    assert found["utterances_precision"] == (1.0, 2.0)


def test_utterances_of_the_reference_without_a_speaker_are_not_counted() -> None:
    assert verdicts([*LINES, (10.0, 12.0, None)], [*LINES, (10.0, 12.0, "ben")]) == {"right": 3, "of": 3}


def test_other_cuts_of_the_same_speech_are_right() -> None:
    pieces: list[Line] = [(0.0, 1.0, "x"), (1.0, 2.5, "x"), (2.5, 4.0, "x"), (4.0, 8.0, "y"), (8.0, 10.0, "x")]
    assert verdicts(LINES, pieces) == {"right": 3, "of": 3}
    # The longest piece of anna's line is ben's, but most of the line is hers.
    pieces = [(0.0, 1.2, "x"), (1.2, 2.6, "y"), (2.6, 4.0, "x"), (4.0, 8.0, "y"), (8.0, 10.0, "x")]
    assert verdicts(LINES, pieces) == {"right": 3, "of": 3}


def test_an_utterance_inside_of_another_has_its_own_speaker() -> None:
    lines: list[Line] = [(0.0, 10.0, "anna"), (4.0, 5.0, "ben")]
    assert verdicts(lines, lines) == {"right": 2, "of": 2}
    assert verdicts(lines, [(0.0, 10.0, "anna"), (4.0, 5.0, "anna")], match="id") == {"right": 1, "wrong": 1, "of": 2}


@pytest.mark.parametrize("end", [2.0, 5.0])
def test_utterances_of_the_same_time_are_distinguished_by_their_text(end: float) -> None:
    """Even those that begin and end at the same time."""
    lines: list[Line] = [(2.0, end, "ben"), (2.0, end, "anna")]
    assert verdicts(lines, list(reversed(lines)), match="id") == {"right": 2, "of": 2}


@pytest.mark.parametrize(("end", "verdict"), [(1.9, "not_found"), (2.1, "right")])
def test_half_of_an_utterance_must_be_there(end: float, verdict: str) -> None:
    assert verdicts([(0.0, 4.0, "anna")], [(0.0, end, "x")]) == {verdict: 1, "of": 1}


def test_an_utterance_is_placed_where_its_words_go_with_the_right_region() -> None:
    """Whether names or tracks are swapped does not matter: the words then go with the other person's region."""
    places = [(time, who, x) for time in (1.0, 2.0, 5.0, 6.0) for who, x in (("anna", 0.0), ("ben", 300.0))]
    swapped = [(time, {"anna": "ben", "ben": "anna"}[who], x) for time, who, x in places]
    lines, reference = LINES[:2], an_episode(LINES[:2], places)
    other_names: list[Line] = [(0.0, 4.0, "ben"), (4.0, 8.0, "anna")]
    for match in ("recording", "id"):
        for found, right in (
            (an_episode(lines, places), 2.0),
            (an_episode(other_names, swapped), 2.0),
            (an_episode(lines, swapped), 0.0),
            (an_episode(other_names, places), 0.0),
            (an_episode([(0.0, 4.0, None)], places), 0.0),
        ):
            assert amounts(reference, found, match=match)["utterances_placed"] == (right, 2.0)
    only_anna = an_episode(lines, [place for place in places if place[1] == "anna"])
    assert amounts(only_anna, reference)["utterances_placed"] == (1.0, 1.0)
