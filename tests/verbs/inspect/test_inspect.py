from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from socialcli.schemas import load_schema
from tests.conftest import SAMPLE
from tests.verbs.inspect.samples import checkpoint, run_inspect

EPISODES = SAMPLE / "episodes.jsonl"
MODEL = "internvl3"


def records() -> list[dict[str, Any]]:
    return [json.loads(line) for line in EPISODES.read_text(encoding="utf-8").splitlines()]


def written(folder: Path, *lines: object) -> Path:
    path = folder / "episodes.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


FIRST = records()[0]
QUESTIONS = [question["id"] for question in FIRST["questions"]]


def test_the_text_of_one_question() -> None:
    result = run_inspect(EPISODES, MODEL, "--question", QUESTIONS[0])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"Question {QUESTIONS[0]} of episode {FIRST['episode_id']}\n")
    assert result.stdout.count("Visual grid: 8 steps of 16 rows x 16 columns = 2048 visual tokens") == 1
    assert result.stderr == ""


def test_questions_and_episodes_are_chosen_and_limited() -> None:
    chosen = run_inspect(EPISODES, MODEL, "--json", "--question", QUESTIONS[2], "--question", QUESTIONS[0])
    assert [json.loads(line)["question_id"] for line in chosen.stdout.splitlines()] == [QUESTIONS[0], QUESTIONS[2]]
    limited = run_inspect(EPISODES, MODEL, "--json", "--episode", records()[1]["episode_id"], "--limit", "2")
    assert [json.loads(line)["question_id"] for line in limited.stdout.splitlines()] == [
        question["id"] for question in records()[1]["questions"][:2]
    ]
    assert run_inspect(EPISODES, MODEL, "--limit", "0").stdout == ""


@pytest.mark.parametrize(
    ("option", "wrong", "near"),
    [("--question", f"{QUESTIONS[0]}x", QUESTIONS[0]), ("--episode", "kitchen-kees", "kitchen-keys")],
)
def test_an_id_that_is_missing_suggests_the_nearest(option: str, wrong: str, near: str) -> None:
    result = run_inspect(EPISODES, MODEL, option, wrong)
    assert result.exit_code == 2
    assert f"there is no {option[2:]} {wrong!r} in {EPISODES}. Did you mean {near!r}?" in result.stderr
    assert result.stdout == ""


def test_a_question_of_another_episode_is_a_usage_error() -> None:
    result = run_inspect(EPISODES, MODEL, "--question", QUESTIONS[0], "--episode", records()[1]["episode_id"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no question to inspect" in result.stderr


def test_bad_episodes_and_questions_do_not_stop_the_others(tmp_path: Path) -> None:
    broken_video = {**records()[1], "video": {**records()[1]["video"], "path": "videos/gone.mp4"}}
    bad_question = {**records()[2], "questions": [{"id": "bad", "task": "coref"}, records()[2]["questions"][0]]}
    no_task = {**records()[3], "questions": [{"id": "odd", "task": "astrology"}]}
    good = {**FIRST, "questions": FIRST["questions"][:1]}
    path = written(tmp_path, broken_video, bad_question, '{"half', no_task, good)
    result = run_inspect(path, MODEL, "--json", "--media-root", str(SAMPLE))
    shown = [json.loads(line)["question_id"] for line in result.stdout.splitlines()]
    assert shown == [records()[2]["questions"][0]["id"], QUESTIONS[0]]
    assert result.exit_code == 3
    failed = len(broken_video["questions"]) + 3
    assert f"{failed} of {failed + 2} questions could not be inspected" in result.stderr
    for told in (
        "'videos/gone.mp4' is not under",
        "episodes.jsonl:2:questions[0]",
        "episodes.jsonl:3:record",
        "astrology",
    ):
        assert told in result.stderr


def test_the_problems_of_questions_that_were_not_asked_for_fail_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, {"episode_id": "wrong"}, FIRST)
    result = run_inspect(path, MODEL, "--json", "--media-root", str(SAMPLE), "--question", QUESTIONS[0])
    assert (result.exit_code, result.stderr) == (0, "")


def test_no_weights_are_needed(tmp_path: Path) -> None:
    lean = tmp_path / "lean"
    shutil.copytree(checkpoint(MODEL), lean, ignore=shutil.ignore_patterns("*.safetensors"))
    result = run_inspect(EPISODES, MODEL, "--checkpoint", str(lean), "--question", QUESTIONS[0])
    assert result.exit_code == 0, result.stderr
    gone = run_inspect(EPISODES, MODEL, "--checkpoint", str(tmp_path / "gone"), "--question", QUESTIONS[0])
    assert gone.exit_code == 2


def test_pictures_are_written_and_their_sheets_named(tmp_path: Path) -> None:
    arguments = (
        "--question",
        QUESTIONS[0],
        "--question",
        QUESTIONS[1],
        "--frames",
        "3",
        "--png",
        str(tmp_path / "out"),
    )
    result = run_inspect(EPISODES, MODEL, *arguments)
    assert result.exit_code == 0, result.stderr
    sheets = [Path(line) for line in result.stdout.splitlines()]
    assert [sheet.parent.name for sheet in sheets] == [name.replace("/", "-") for name in QUESTIONS[:2]]
    for sheet in sheets:
        names = sorted(path.name for path in sheet.parent.iterdir())
        assert names == ["frame-00.png", "frame-01.png", "frame-02.png", "sheet.png"]
        for path in sheet.parent.iterdir():
            with Image.open(path) as image:
                assert image.format == "PNG"
                assert image.width >= 1280


def test_pictures_and_json_go_together(tmp_path: Path) -> None:
    arguments = ("--question", QUESTIONS[0], "--frames", "2", "--json", "--png", str(tmp_path))
    assert json.loads(run_inspect(EPISODES, MODEL, *arguments).stdout)["question_id"] == QUESTIONS[0]
    assert list(tmp_path.glob("*/sheet.png"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--png", "pictures", "--inputs", "L"), "which --inputs L omits"),
        (("--inputs", "VL", "--boxes-as", "text"), "--boxes-as text"),
        (("--media-root", "nowhere"), "nowhere: there is no such folder"),
        (("--frame-fit", "squeeze"), "'squeeze'"),
        (("--model", "internvl4"), "Did you mean 'internvl3'?"),
    ],
)
def test_what_cannot_be_is_a_usage_error(arguments: tuple[str, ...], message: str) -> None:
    result = run_inspect(EPISODES, MODEL, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("steer", ["speaker", "both-ways", "gaze", "gaze-decoding"])
def test_an_episode_without_questions_is_shown_up_to_them(steer: str, tmp_path: Path) -> None:
    """All that comes before the question is as for a question that hides no word."""
    path = written(tmp_path, {**FIRST, "questions": []})
    command = (MODEL, "--json", "--media-root", str(SAMPLE), "--steer", steer)
    result = run_inspect(path, *command)
    assert (result.exit_code, result.stderr.count("warning")) == (0, 0), result.stderr
    shown = json.loads(result.stdout)
    assert list(Draft202012Validator(load_schema("inspection")).iter_errors(shown)) == []
    target = next(question["id"] for question in FIRST["questions"] if question["task"] == "target")
    asked = json.loads(run_inspect(EPISODES, *command, "--question", target).stdout)
    assert (shown["question_id"], shown["task"]) == (None, None)
    assert asked["prompt"] == shown["prompt"] + asked["prompt"][asked["prompt"].index("Question: ") :]
    for same in ("frames", "utterances", "grid", "boxes", "speakers", "annotated_boxes", "coverage"):
        assert shown[same] == asked[same], same
    if steer == "speaker":
        assert shown["plan"] == asked["plan"]


def test_an_episode_without_questions_has_text_and_pictures(tmp_path: Path) -> None:
    path = written(tmp_path, {**FIRST, "episode_id": "talk", "questions": []}, FIRST)
    text = run_inspect(path, MODEL, "--media-root", str(SAMPLE), "--limit", "2").stdout
    assert text.startswith("Episode talk, which has no questions\n")
    assert "Prompt before any question: " in text and "Coverage: " in text and f"Question {QUESTIONS[0]} of" in text
    drawn = run_inspect(path, MODEL, "--media-root", str(SAMPLE), "--limit", "1", "--png", str(tmp_path / "pictures"))
    assert drawn.stdout == f"{tmp_path / 'pictures' / 'talk' / 'sheet.png'}\n"
    assert len(list((tmp_path / "pictures" / "talk").glob("frame-*.png"))) == 8


def test_questions_that_are_named_leave_out_episodes_without_any(tmp_path: Path) -> None:
    path = written(tmp_path, {**FIRST, "episode_id": "silent", "questions": []}, FIRST)
    result = run_inspect(path, MODEL, "--json", "--media-root", str(SAMPLE), "--question", QUESTIONS[0])
    assert [json.loads(line)["question_id"] for line in result.stdout.splitlines()] == [QUESTIONS[0]]
