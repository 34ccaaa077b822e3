from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from socialcli.errors import InvalidInputError, NotFoundError
from socialcli.verbs.validate.command import command

Record = dict[str, Any]


def episode(name: str, **video: Any) -> Record:
    questions = [{"id": f"{name}/{number}", "task": "target", "utterance": "u1"} for number in range(2)]
    return {
        "schema_version": "1.0",
        "episode_id": name,
        "video": {"path": "clip.mp4", "width": 640, "height": 360, **video},
        "speakers": [{"id": "s1"}, {"id": "s2"}],
        "utterances": [{"id": "u1", "speaker": "s1", "start": 0, "end": 1, "text": "Hello."}],
        "boxes": [{"speaker": "s1", "time": 0.5, "x0": 1, "y0": 2, "x1": 3, "y1": 4}],
        "questions": questions,
    }


def crowded(name: str, wrong: int) -> Record:
    """An episode with `wrong` boxes of an unknown speaker."""
    result = episode(name)
    result["boxes"] = [{**result["boxes"][0], "speaker": "bob"}] * wrong
    return result


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def write_file(name: str, *lines: object) -> str:
        text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write_file


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_a_correct_file_gets_its_coverage_and_one_line_and_exit_code_0(write: Callable[..., str]) -> None:
    path = write("e.jsonl", episode("a"), episode("b"))
    result = validate(path)
    coverage = "coverage: 2 of 2 utterances (100.0%) with a box of the speaker within 1 s"
    assert result.output == f"{coverage}\n{path}: 2 episodes, 4 questions, no problems\n"
    assert result.exit_code == 0


def test_each_problem_is_a_line_with_file_row_and_field(write: Callable[..., str]) -> None:
    path = write("e.jsonl", episode("a", width=0), "", '{"a": ', crowded("d", 1))
    result = validate(path)
    assert result.output.splitlines() == [
        f"{path}:1:video.width: is 0; it must be at least 1",
        f"{path}:3:record: is not valid JSON at column 6 (Expecting value); write one whole JSON object on the line",
        f'{path}:4:boxes[0].speaker: "bob" is not a speaker of the episode ("s1", "s2"); add the speaker or correct it',
        f"{path}: 3 episodes, 4 questions, 3 problems",
    ]
    assert isinstance(result.exception, InvalidInputError)
    assert str(result.exception) == "3 problems in 1 of 1 file"


def test_printing_stops_at_the_limit_and_counting_does_not(write: Callable[..., str]) -> None:
    first, second = write("a.jsonl", crowded("a", 70)), write("b.jsonl", crowded("b", 70))
    lines = validate(first, second).output.splitlines()
    assert len([line for line in lines if ":boxes[" in line]) == 100
    assert lines[-3:] == [
        f"{first}: 1 episode, 2 questions, 70 problems",
        f"{second}: 1 episode, 2 questions, 70 problems",
        "2 files: 2 episodes, 4 questions, 140 problems (100 shown)",
    ]
    assert validate(first, "--max-errors", "0").output == f"{first}: 1 episode, 2 questions, 70 problems (0 shown)\n"


def test_json_holds_the_counts_and_the_problems(write: Callable[..., str]) -> None:
    good, bad = write("good.jsonl", episode("a")), write("bad.jsonl", crowded("b", 3))
    result = validate(good, bad, "--json", "--max-errors", "1")
    found = json.loads(result.stdout)
    assert found.pop("coverage")["near_box"] == 1 and found.pop("notes") == []  # of the good file alone
    assert [file.pop("coverage")["utterances"] for file in found["files"]] == [1, 0]
    assert found == {
        "episodes": 2,
        "questions": 4,
        "problem_count": 3,
        "problems": [
            {
                "file": bad,
                "row": 1,
                "field": "boxes[0].speaker",
                "message": '"bob" is not a speaker of the episode ("s1", "s2"); add the speaker or correct it',
                "question": None,
            }
        ],
        "files": [
            {"file": good, "episodes": 1, "questions": 2, "problem_count": 0, "error": None},
            {"file": bad, "episodes": 1, "questions": 2, "problem_count": 3, "error": None},
        ],
    }
    assert str(result.exception) == "3 problems in 1 of 2 files"


def test_a_missing_file_does_not_hide_the_others_and_ends_as_a_usage_error(write: Callable[..., str]) -> None:
    bad = write("bad.jsonl", crowded("b", 1))
    result = validate("nowhere.jsonl", bad)
    assert "nowhere.jsonl: there is no such file\n" in result.output
    assert f"{bad}:1:boxes[0].speaker: " in result.output
    assert isinstance(result.exception, NotFoundError)
    assert str(result.exception) == "there is no such file: nowhere.jsonl"


def test_a_file_that_cannot_be_read_is_one_problem(write: Callable[..., str], tmp_path: Path) -> None:
    result = validate(str(tmp_path), write("empty.jsonl"), write("good.jsonl", episode("a")))
    assert result.output.splitlines()[:2] == [
        f"{tmp_path}: is a folder; name the episodes file itself",
        f"{tmp_path / 'empty.jsonl'}: is empty; give a file with at least one episode",
    ]
    assert isinstance(result.exception, InvalidInputError)
    assert str(result.exception) == "2 problems in 2 of 3 files"


def test_videos_are_looked_for_only_under_a_given_media_root(write: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "media" / "images").mkdir(parents=True)
    (tmp_path / "media" / "images" / "1.png").touch()
    (tmp_path / "media" / "clip.mp4").touch()
    path = write(
        "e.jsonl",
        episode("a"),
        episode("b", path="gone.mp4"),
        episode("c", path="../e.jsonl"),
        episode("d", path="images"),
        episode("e", path="images", fps=5),
    )
    assert validate(path).exit_code == 0
    lines = validate(path, "--media-root", str(tmp_path / "media")).output.splitlines()
    assert [line.removeprefix(path)[:14] for line in lines[:-2]] == [
        ":2:video.path:",
        ":3:video.path:",
        ":4:video.fps: ",
    ]
    assert isinstance(validate(path, "--media-root", "nowhere").exception, NotFoundError)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["f1.png", "f2.png", "f4.png", "f5.png"], "after f2.png comes f4.png (1 missing)"),
        (["001.jpg", "002.jpg", "2.jpg", "003.jpg"], "are the same number"),
        (["notes.txt", ".f1.png", "._f1.png"], "no image in the folder"),
        (["f1.png", "f2.png", "f3.png", "._f3.png", ".DS_Store"], None),
        (["第1帧.png", "第2帧.png", "第3帧.png"], None),
    ],
)
def test_a_folder_of_images_under_the_media_root_lacks_none(
    names: list[str], problem: str | None, write: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "media" / "images").mkdir(parents=True)
    for name in names:
        (tmp_path / "media" / "images" / name).touch()
    path = write("e.jsonl", episode("a", path="images", fps=5))
    assert validate(path).exit_code == 0
    found = validate(path, "--media-root", str(tmp_path / "media"))
    told = [line for line in found.output.splitlines() if ":1:video.path: " in line]
    assert (problem in told[0] and len(told) == 1) if problem else not told


def test_no_torch_is_imported(write: Callable[..., str], tmp_path: Path) -> None:
    path = write("e.jsonl", episode("a", path="e.jsonl"))
    code = (
        "import sys\n"
        "from socialcli.verbs.validate.command import command\n"
        "assert not {'torch', 'pyarrow', 'jsonschema'} & set(sys.modules)\n"  # what showing the help costs
        f"command.main([{path!r}, '--media-root', {str(tmp_path)!r}], standalone_mode=False)\n"
        "assert not {'torch', 'transformers', 'pyarrow', 'av'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
