"""Answers that a person fills in: the template, and the table as it comes back."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ..video.clips import write_video
from .sources import convert, converted, write

SRT = "1\n00:00:00,500 --> 00:00:01,500\nAnna: did he see it?\n\n2\n00:00:01,500 --> 00:00:02,500\nBen: ask Carla, no\n"
LABELS = "label,speaker,name\nAnna,anna,Anna\nBen,ben,\nCarla,p3,Carla\n"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder with a video of 3 seconds, a transcript and a table of labels."""
    write_video(tmp_path / "clip.mp4", 30, rate=10)
    write(tmp_path / "clip.srt", SRT)
    write(tmp_path / "labels.csv", LABELS)
    return tmp_path


def words(folder: Path, *options: object) -> tuple[object, ...]:
    return ("tracks", folder / "clip.mp4", "--labels", folder / "labels.csv", "--ask", "all", *options)


def test_the_template_has_all_questions_and_is_read_back(clip: Path) -> None:
    template = clip / "questions.csv"
    episodes, _ = converted(clip / "a.jsonl", *words(clip, "--answers-template", template))
    with template.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "question": "clip/u1/target",
        "task": "target",
        "time": "0.50",
        "speaker": "Anna",
        "text": "did he see it?",
        "candidates": "ben | p3 (Carla)",
        "answer": "",
    }
    assert (rows[1]["question"], rows[1]["text"]) == ("clip/u1/coref/4", "did [he] see it?")
    assert [row["question"] for row in rows] == [question.id for one in episodes for question in one.questions]
    unanswered, account = converted(clip / "b.jsonl", *words(clip, "--answers", template))
    assert unanswered == episodes and account["notes"] == {"questions without an answer in --answers": len(rows)}


@pytest.mark.parametrize("answer", ["p3", "Carla", "carla", "p3 (Carla)", "P3"])
def test_an_answer_is_an_id_or_a_name(answer: str, clip: Path) -> None:
    table = write(clip / "answers.csv", f"question,answer\nclip/u1/target,{answer}\nclip/u2/target,\n")
    episodes, account = converted(clip / "e.jsonl", *words(clip, "--answers", table))
    answers = {question.id: question.answer for one in episodes for question in one.questions}
    assert answers["clip/u1/target"] == "p3" and set(answers.values()) == {"p3", None}
    assert account["notes"]["questions with an answer from --answers"] == 1
    assert account["notes"]["questions without an answer in --answers"] == len(answers) - 1


def test_a_template_keeps_the_answers_there_are(clip: Path) -> None:
    table = write(clip / "answers.csv", "question,answer\nclip/u1/target,Carla\n")
    template = clip / "questions.csv"
    converted(clip / "a.jsonl", *words(clip, "--answers", table, "--answers-template", template))
    assert template.read_text().splitlines()[1].endswith("ben | p3 (Carla),p3")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "clip/u1/target,anna",
            ":3:answer: is 'anna', which is no candidate of the question: ben, p3 (Carla)",
        ),
        ("clip/u1/target,Dora", ":3:answer: is 'Dora', which is no candidate"),
        ("clip/u1/traget,ben", ":3:question: 'clip/u1/traget' is not asked; did you mean 'clip/u1/target'?"),
        ("clip/u2/target,p3", ":3:answer: 'clip/u2/target' has the answer 'anna' above; give only one"),
        (",ben", ":3:question: is empty"),
    ],
)
def test_a_row_that_answers_nothing_is_named_and_can_be_skipped(row: str, message: str, clip: Path) -> None:
    table = write(clip / "answers.csv", f"question,answer\nclip/u2/target,anna\n{row}\n")
    result = convert(*words(clip, "--answers", table), "-o", clip / "e.jsonl")
    assert result.exit_code == 4 and f"{table}{message}" in result.stderr, result.stderr
    assert not (clip / "e.jsonl").exists()
    episodes, account = converted(clip / "e.jsonl", *words(clip, "--answers", table, "--skip-bad"))
    assert account["skipped"] == 1
    assert [question.answer for question in episodes[1].questions if question.task == "target"] == ["anna"]


def test_answers_need_questions_and_a_place(clip: Path) -> None:
    command = ("tracks", clip / "clip.mp4", "-o", clip / "e.jsonl", "--answers-template")
    result = convert(*command, clip / "q.csv")
    assert result.exit_code == 2 and "are about the questions of --ask" in result.stderr
    result = convert(*command, clip / "labels.csv", "--ask", "all")
    assert result.exit_code == 2 and "labels.csv already exists" in result.stderr
    result = convert(*command, clip / "no" / "q.csv", "--ask", "all")
    assert result.exit_code == 2 and "there is no such folder" in result.stderr
