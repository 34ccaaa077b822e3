"""Candidates that are equal as text: the right one is known by its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from socialcli.episodes.checking.record import Seen, check
from socialcli.episodes.reading import BadQuestion, read_episodes
from socialcli.episodes.records import Episode, Question
from socialcli.episodes.writing import EpisodeWriter

from .samples import Record, changed, record, write_lines

VIDEOQA, TARGET = 3, 0
GREETINGS = ["NAMASTE", "BONJOUR", "CIAO", "SALAAM", "SALAAM"]
LANGUAGES = ["你好", "もしもし", "你好", "안녕"]


def asked(**fields: object) -> Record:
    """A record whose question of `videoqa` has these fields."""
    return changed(lambda r: r["questions"][VIDEOQA].update({"answer": None, **fields}))


def question(whole: Record) -> Question:
    return Episode.from_record(whole).questions[VIDEOQA]


@pytest.mark.parametrize(
    "fields",
    [
        {"candidates": GREETINGS, "answer": "CIAO"},
        {"candidates": GREETINGS, "answer": "SALAAM", "answer_index": 4},
        {"candidates": GREETINGS, "answer_index": 4},
        {"candidates": GREETINGS, "answer_index": 4.0},
        {"candidates": GREETINGS},
        {"candidates": LANGUAGES, "answer": "你好", "answer_index": 0},
        {"candidates": ["same", "same"], "answer_index": 1},
        {"answer_index": 1},
        {"answer": "in a café", "answer_index": 1},
    ],
)
def test_an_answer_by_place_is_valid(fields: Record) -> None:
    assert check(asked(**fields), 1, Seen()) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"candidates": GREETINGS, "answer": "SALAAM"},
            'answer: "SALAAM" equals each of the candidates 3, 4, counted from 0; say which is right with answer_index',
        ),
        (
            {"candidates": LANGUAGES, "answer": "你好"},
            'answer: "你好" equals each of the candidates 0, 2, counted from 0; say which is right with answer_index',
        ),
        (
            {"candidates": GREETINGS, "answer_index": 5},
            "answer_index: is 5, and there are 5 candidates, counted from 0; correct it",
        ),
        (
            {"answer": "at home", "answer_index": 1},
            'answer_index: is 1, which is "in a café", but the answer is "at home"; places are counted from 0; correct',
        ),
        ({"answer_index": 26}, "answer_index: is 26; it must be at most 25"),
        ({"answer_index": "0"}, 'answer_index: is the string "0", not a whole number'),
        ({"answer_index": True}, "answer_index: is true, not a whole number"),
    ],
)
def test_an_answer_that_several_candidates_could_be_is_reported(fields: Record, message: str) -> None:
    (problem,) = check(asked(**fields), 1, Seen())
    assert f"{problem.field}: {problem.message}".startswith(f"questions[{VIDEOQA}].{message}")
    assert problem.question == VIDEOQA


def test_a_place_counts_candidates_that_are_listed() -> None:
    (problem,) = check(changed(lambda r: r["questions"][TARGET].update(answer_index=0)), 1, Seen())
    assert f"{problem.field}: {problem.message}" == (
        "questions[0].answer_index: is given without the candidates that it counts; list them, or give only the answer"
    )


def test_no_speaker_is_two_candidates() -> None:
    twice = changed(lambda r: r["questions"][TARGET].update(candidates=["s2", "s3", "s2"], answer_index=0))
    (problem,) = check(twice, 1, Seen())
    assert (problem.field, problem.message) == ("questions[0].candidates", 'holds "s2" twice; keep one')


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz", "e.parquet"])
def test_the_place_goes_through_every_format(tmp_path: Path, name: str) -> None:
    with EpisodeWriter(tmp_path / name) as writer:
        writer.write(asked(candidates=GREETINGS, answer_index=4))
    (row,) = read_episodes(tmp_path / name)
    assert row.problems == () and row.episode is not None
    found = row.episode.questions[VIDEOQA]
    assert (found.candidates, found.answer, found.answer_index) == (tuple(GREETINGS), "SALAAM", 4)
    assert row.episode.to_record()["questions"][VIDEOQA]["answer_index"] == 4


def test_an_answer_that_its_text_tells_is_spelt_in_one_way() -> None:
    spellings = [{"answer_index": 1}, {"answer": "in a café"}, {"answer": "in a café", "answer_index": 1.0}]
    assert {question(asked(**fields)) for fields in spellings} == {question(record())}
    assert question(record()).answer_index is None


def test_the_place_among_candidates_as_a_task_letters_them() -> None:
    equal = question(asked(candidates=GREETINGS, answer_index=3))
    assert equal.place_of_answer(GREETINGS) == 3
    assert equal.place_of_answer(["SALAAM", "CIAO"]) == 0  # one of this text is left: it is this one
    assert equal.place_of_answer(GREETINGS[::-1]) is None
    assert question(record()).place_of_answer(["in a café", "at home"]) == 0
    assert question(asked()).place_of_answer(["in a café", "at home"]) is None


def test_a_bad_question_keeps_the_answer_of_its_place(tmp_path: Path) -> None:
    bad = asked(candidates=GREETINGS, answer_index=4, text=None)
    (row,) = read_episodes(write_lines(tmp_path / "e.jsonl", [bad]))
    message = "e.jsonl:1:questions[3].text: is missing, and a videoqa question needs it; add it"
    assert row.bad_questions == (BadQuestion("e1/videoqa", "videoqa", "SALAAM", message),)
    beyond = asked(candidates=GREETINGS, answer_index=9)
    (row,) = read_episodes(write_lines(tmp_path / "beyond.jsonl", [beyond]))
    assert [one.answer for one in row.bad_questions] == [None]
