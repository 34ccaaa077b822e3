"""From evidence to an annotation: people are named by their labels or numbered, and nothing unsure is written."""

from __future__ import annotations

import numpy as np
import pytest

from socialcli.annotating.activity import _log_odds
from socialcli.annotating.recording import Annotation, Rules, annotated
from socialcli.attribution.attribution import Attribution, Guess
from socialcli.converting.transcripts.lines import Line
from socialcli.perception.contract import Detection, Rectangle, Track
from socialcli.perception.people import Person, grown, standing
from socialcli.perception.sight import Sight

RATE = 5.0
DEFAULT = Rules()
SIZE = (640, 480)
FACES = [Rectangle(100, 100, 140, 140), Rectangle(400, 100, 440, 140)]
SIGHT = Sight(finds="face", detect=lambda _: [], track=lambda _: [], rate=RATE)
LINES = [Line(0, 1, "One.", "anna"), Line(1, 2, "Two.", "ben"), Line(2, 3, "Three.", "anna")]
UNNAMED = [Line(line.start, line.end, line.text) for line in LINES]


def person(face: Rectangle, seconds: float = 4) -> Person:
    return Person((Track({number: Detection(face, 0.9) for number in range(round(seconds * RATE))}),))


def found(*guesses: tuple[int | None, float], labels: dict[str, tuple[int | None, float]] | None = None) -> Attribution:
    return Attribution([Guess(*one) for one in guesses], {name: Guess(*one) for name, one in (labels or {}).items()})


def annotation(lines: list[Line], guesses: Attribution, people: list[Person], rules: Rules = DEFAULT) -> Annotation:
    return annotated(lines, people, guesses, SIZE, SIGHT, rules)


def test_labels_of_the_transcript_name_people() -> None:
    guesses = found((1, 0.9), (0, 0.8), (1, 0.9), labels={"anna": (1, 0.9), "ben": (0, 0.8)})
    made = annotation(LINES, guesses, [person(face) for face in FACES])
    assert [one.speaker for one in made.utterances] == ["anna", "ben", "anna"]
    assert {one.id: one.name for one in made.speakers} == {"anna": "anna", "ben": "ben"}
    assert {box.x0 for box in made.boxes if box.speaker == "anna"} == {standing(FACES[1], *SIZE).x0}
    assert [box.time for box in made.boxes if box.speaker == "ben"][:3] == [0.0, 0.2, 0.4]


def test_people_without_a_label_are_numbered_in_order_of_appearance() -> None:
    made = annotation(UNNAMED, found((1, 0.9), (0, 0.8), (1, 0.9)), [person(face) for face in FACES])
    assert [one.speaker for one in made.utterances] == ["person2", "person1", "person2"]
    assert [one.name for one in made.speakers] == [None, None]


def test_an_unsure_utterance_has_no_speaker_and_an_unsure_label_no_box() -> None:
    people = [person(face) for face in FACES]
    unsure = annotation(UNNAMED, found((0, 0.9), (1, 0.5), (None, 0.9)), people)
    assert [one.speaker for one in unsure.utterances] == ["person1", None, None]
    assert unsure.confidences == (0.9, 0.5, 0.9)
    labelled = annotation(
        LINES, found((0, 0.9), (1, 0.5), (0, 0.9), labels={"anna": (0, 0.9), "ben": (1, 0.5)}), people
    )
    assert [one.speaker for one in labelled.utterances] == ["anna", "ben", "anna"]
    assert {box.speaker for box in labelled.boxes} == {"anna"}  # the other may be ben, or not


def test_who_never_speaks_is_there_if_seen_long_enough() -> None:
    people = [person(FACES[0]), person(FACES[1], seconds=1)]
    assert {box.speaker for box in annotation(UNNAMED, found(*[(0, 0.9)] * 3), people).boxes} == {"person1"}
    people[1] = person(FACES[1], seconds=3)
    assert {one.id for one in annotation(UNNAMED, found(*[(0, 0.9)] * 3), people).speakers} == {"person1", "person2"}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Rules(boxes="face"), FACES[0]),
        (Rules(boxes="shoulders", grow=2.0), grown(FACES[0], *SIZE, 2.0)),
        (Rules(boxes="person"), standing(FACES[0], *SIZE)),
    ],
)
def test_what_a_box_shows(rules: Rules, expected: Rectangle) -> None:
    box = annotation(UNNAMED, found(*[(0, 0.9)] * 3), [person(FACES[0])], rules).boxes[0]
    assert (box.x0, box.y0, box.x1, box.y1) == (expected.x0, expected.y0, expected.x1, expected.y1)


def test_motion_counts_beside_what_is_usual_for_the_face() -> None:
    """An arm moves before one face all the time; the other one only moves when it speaks."""
    busy, calm = np.full(100, 0.06), np.full(100, 0.001)
    calm[:30] = 0.03
    assert _log_odds(busy).max() < 0
    assert _log_odds(calm)[:30].min() > 1
    assert _log_odds(calm)[30:].max() < 0
