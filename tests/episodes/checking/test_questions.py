from __future__ import annotations

import pytest

from socialcli.episodes.checking.questions import TASK_RULES
from socialcli.episodes.checking.record import Seen, check
from socialcli.episodes.records import Episode
from socialcli.plugins.builtin import socialcli_tasks
from socialcli.tasks.base import Task
from socialcli.tasks.labels import speaker_labels

from ..samples import Record, changed, record

TARGET, COREF, MENTIONED, VIDEOQA, OTHER = range(5)


def crowd(size: int) -> list[Record]:
    return [{"id": f"s{index + 1}"} for index in range(size)]


@pytest.mark.parametrize(
    ("question", "change", "expected"),
    [
        (VIDEOQA, {"text": None}, ["text: is missing, and a videoqa question needs it; add it"]),
        (
            VIDEOQA,
            {"candidates": None},
            ["candidates: is missing, and a videoqa question needs it; add it"],
        ),
        (
            VIDEOQA,
            {"answer": "nowhere"},
            ['answer: "nowhere" is not among the candidates ("at home", "in a café"); write one of them'],
        ),
        (TARGET, {"utterance": None}, ["utterance: is missing, and a target question needs it; add it"]),
        (TARGET, {"utterance": "u2"}, ['utterance: "u2" has no speaker, and a target question needs one; give']),
        (TARGET, {"answer": "s1"}, ['answer: "s1" is not among the candidates ("s2", "s3"); write one']),
        (TARGET, {"candidates": ["s1", "bob"], "answer": None}, ['candidates[1]: "bob" is not a speaker of the']),
        (TARGET, {"candidates": ["s1", "s3"]}, ['answer: "s2" is not among the candidates ("s1", "s3"); write']),
        (COREF, {"utterance": "u9"}, ['utterance: "u9" is not an utterance of the episode; add the utterance']),
        (COREF, {"span": None}, ["span: is missing, and a coref question needs it; add it"]),
        (COREF, {"span": [4, 4]}, ["span: is [4, 4], which is empty; the end is the position after"]),
        (COREF, {"span": [4, 13]}, ["span: is [4, 13], but the utterance has 12 characters; count from 0"]),
        (COREF, {"answer": "s9"}, ['answer: "s9" is not among the candidates ("s1", "s2", "s3"); write one']),
        (MENTIONED, {"span": None}, ["span: is missing, and a mentioned question needs it; add it"]),
        (OTHER, {"span": [0, 1]}, ["span: is given without an utterance; name the utterance"]),
        (OTHER, {"utterance": "u9"}, ['utterance: "u9" is not an utterance of the episode; add the utterance']),
        (
            OTHER,
            {"candidates": ["a", "b"], "answer": "c"},
            ['answer: "c" is not among the candidates ("a", "b"); write one of them, or leave it out'],
        ),
    ],
)
def test_a_contradiction_of_a_question_concerns_it_alone(question: int, change: Record, expected: list[str]) -> None:
    problems = check(changed(lambda r: r["questions"][question].update(change)), 1, Seen())
    assert len(problems) == len(expected)
    for problem, text in zip(problems, expected, strict=True):
        assert f"{problem.field}: {problem.message}".startswith(f"questions[{question}].{text}")
        assert problem.question == question


@pytest.mark.parametrize(
    ("question", "change"),
    [
        (TARGET, {"answer": None}),
        (TARGET, {"candidates": ["s1", "s2"]}),
        (TARGET, {"span": [0, 3]}),
        (COREF, {"span": [0, 12]}),
        (COREF, {"utterance": "u1", "span": [4, 5]}),  # the emoji is one character
        (VIDEOQA, {"answer": None}),
        (OTHER, {"answer": "whatever this task answers"}),
    ],
)
def test_a_correct_question_has_no_problem(question: int, change: Record) -> None:
    assert check(changed(lambda r: r["questions"][question].update(change)), 1, Seen()) == []


@pytest.mark.parametrize(
    ("speakers", "expected"),
    [
        (1, "are left out, and no speaker of the episode could be the answer; add the speakers"),
        (2, None),
        (27, None),
        (28, "are left out, and 27 speakers could be the answer; name at most 26 of them"),
    ],
)
def test_derived_candidates_must_be_as_many_as_there_are_letters(speakers: int, expected: str | None) -> None:
    def change(r: Record) -> None:
        r.update(speakers=crowd(speakers), utterances=r["utterances"][:1], boxes=[])
        r["questions"] = [{**r["questions"][TARGET], "answer": None}]

    assert [problem.message for problem in check(changed(change), 1, Seen())] == ([expected] if expected else [])


@pytest.mark.parametrize("task", socialcli_tasks(), ids=lambda task: str(task.name))
def test_the_rules_and_the_built_in_tasks_agree_on_the_candidates(task: Task) -> None:
    episode = Episode.from_record(record())
    labels = speaker_labels(episode.speakers, named=False)
    [question] = [question for question in episode.questions if question.task == task.name]
    wrong = changed(lambda r: r["questions"][episode.questions.index(question)].update(answer="nobody"))
    [problem] = check(wrong, 1, Seen())
    listed = ", ".join(f'"{candidate.id}"' for candidate in task.candidates(episode, question, labels))
    assert f"({listed})" in problem.message


def test_every_built_in_task_has_a_rule_and_nothing_else_has() -> None:
    assert {task.name for task in socialcli_tasks()} == set(TASK_RULES)
