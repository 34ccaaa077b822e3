"""`socialcli accuracy` on what runs and sweeps left."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ...conftest import SAMPLE
from ...results.folders import answered, leave
from ..runs import SAMPLE_FILE, Run, assert_reported, command, record, run, shell_environment, write

FEW = ("--frames", "2", "--limit", "2", "--media-root", str(SAMPLE))
DONE: dict[str, Any] = {"settings": {"frames": 2}}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of both conditions, with an episode that fails."""
    lines = [record(0), record(1), record(11)]
    lines[1]["video"]["path"] = "gone.mp4"
    path = write(tmp_path_factory.mktemp("in") / "episodes.jsonl", lines)
    options = (*FEW, "--alignment", "both", "--max-failures", "100%")
    result = run(path, tmp_path_factory.mktemp("run") / "out", *options, tasks=["all"])
    assert result.code == 0, result.stderr
    assert {row["status"] for row in result.rows} == {"ok", "failed"}
    return result


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(SAMPLE_FILE, tmp_path_factory.mktemp("few") / "out", *FEW, "--inputs", "L", tasks=["all"])


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def printed(done: Run) -> list[dict[str, Any]]:
    assert done.code == 0, done.stderr
    (one,) = json.loads(done.stdout)["folders"]
    found: list[dict[str, Any]] = one["accuracy"]
    return found


@pytest.mark.parametrize("name", ["table.csv", "table.jsonl", "TABLE.CSV"])
def test_the_table_is_written_as_its_name_ends(done: Run, name: str, tmp_path: Path) -> None:
    again = command("accuracy", str(done.output), "-o", str(tmp_path / name))
    assert again.code == 0, again.stderr
    text = (tmp_path / name).read_text(encoding="utf-8")
    if name.lower().endswith(".csv"):
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [row["accuracy"] for row in rows] == [
            "" if row["accuracy"] is None else str(row["accuracy"]) for row in done.accuracy
        ]
        assert list(rows[0]) == list(done.accuracy[0])
    else:
        assert [json.loads(line) for line in text.splitlines()] == done.accuracy


def test_the_table_is_the_runs_own(done: Run, tmp_path: Path) -> None:
    before = content(done.output)
    again = command("accuracy", str(done.output), "-o", str(tmp_path / "again.parquet"))
    assert again.code == 0 and again.stderr == ""
    assert done.stdout.startswith(f"{again.stdout}coverage: ")
    own = pq.read_table(done.output / "accuracy.parquet")
    assert pq.read_table(tmp_path / "again.parquet").equals(own)
    (one,) = json.loads(command("accuracy", str(done.output), "--json").stdout)["folders"]
    assert one == {"folder": str(done.output), "warnings": [], "accuracy": own.to_pylist()}
    assert content(done.output) == before


def test_a_sweeps_table_too(tmp_path: Path) -> None:
    path = write(tmp_path / "episodes.jsonl", [record(0), record(1)])
    model = ("--model", "llava-next-video", "--checkpoint", str(SAMPLE / "checkpoints" / "llava-next-video"))
    options = ("--task", "all", "--alpha", "0,1,2", *FEW, "-o", str(tmp_path / "out"))
    swept = command("sweep", str(path), *model, *options)
    assert swept.code == 0, swept.stderr
    assert printed(command("accuracy", str(tmp_path / "out"), "--json")) == swept.accuracy


def test_several_folders_make_one_table(done: Run, few: Run, tmp_path: Path) -> None:
    table = command("accuracy", str(done.output), str(few.output), "-o", str(tmp_path / "both.parquet"))
    head, *lines = table.stdout.splitlines()
    lines = [line for line in lines if line.startswith("/")]  # without the notes below the table
    assert head.split()[:4] == ["folder", "task", "alignment", "inputs"]
    assert [line.split()[0] for line in lines] == [str(done.output)] * len(done.accuracy) + [str(few.output)] * len(
        few.accuracy
    )
    rows = pq.read_table(tmp_path / "both.parquet").to_pylist()
    assert [row.pop("folder") for row in rows] == [line.split()[0] for line in lines]
    assert rows == done.accuracy + few.accuracy
    both = json.loads(command("accuracy", str(few.output), str(done.output), "--json").stdout)["folders"]
    assert [one["accuracy"] for one in both] == [few.accuracy, done.accuracy]


def test_write_replaces_the_table_of_each_folder(tmp_path: Path) -> None:
    folders = [leave(tmp_path / name, answered("10"), **DONE) for name in "ab"]
    (folders[0] / "accuracy.parquet").write_bytes(b"broken")
    before = content(folders[0])
    assert command("accuracy", *map(str, folders), "--write").code == 0
    for folder in folders:
        (row,) = pq.read_table(folder / "accuracy.parquet").to_pylist()
        assert (row["n"], row["correct"]) == (2, 1)
    after = content(folders[0])
    assert {name for name in after if after[name] != before.get(name)} == {"accuracy.parquet"}


def test_answers_of_another_file(few: Run, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in SAMPLE_FILE.read_text(encoding="utf-8").splitlines()]
    predicted = {row["question_id"]: row["prediction"] for row in few.rows}
    for line in lines:
        for question in line["questions"]:
            question["answer"] = predicted.get(question["id"])
    told = command("accuracy", str(few.output), "--json", "--answers", str(write(tmp_path / "new.jsonl", lines)))
    assert {row["accuracy"] for row in printed(told)} == {1.0}
    assert told.stderr == ""
    assert {row["accuracy"] for row in few.accuracy} - {1.0}


def test_rows_that_the_other_file_does_not_know_are_unlabelled_and_told(few: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "new.jsonl", [record(0)])
    told = command("accuracy", str(few.output), "--json", "--answers", str(path))
    asked = {row["question_id"] for row in few.rows}
    there = asked & {question["id"] for question in record(0)["questions"]}
    table = [row for row in printed(told) if row["task"] != "all"]
    assert (sum(row["n"] for row in table), sum(row["unlabelled"] for row in table)) == (
        len(there),
        len(asked - there),
    )
    warning = f"{len(asked - there)} of {len(asked)} rows count as unlabelled"
    assert warning in told.stderr and warning in json.loads(told.stdout)["folders"][0]["warnings"][0]


def test_a_run_that_was_interrupted_is_reported(tmp_path: Path) -> None:
    told = command("accuracy", str(leave(tmp_path, answered("1"), outcome="interrupted")))
    assert told.code == 0
    assert "warning" in told.stderr and "was interrupted" in told.stderr


def test_mistakes(tmp_path: Path) -> None:
    out = str(leave(tmp_path / "out", answered("1"), **DONE))
    alone = tmp_path / "alone.parquet"
    alone.write_bytes((tmp_path / "out" / "predictions.parquet").read_bytes())
    nothing = tmp_path / "nothing.parquet"
    nothing.write_text("no table")
    assert_reported(command("accuracy", str(tmp_path / "gone")), 2, "there is no such folder or file")
    assert_reported(command("accuracy", out, str(tmp_path)), 2, "holds no predictions.parquet")
    assert_reported(command("accuracy", str(nothing)), 4, "nothing.parquet")
    assert_reported(command("accuracy", str(SAMPLE / "episodes.parquet")), 4, "is an episodes file")
    assert_reported(command("accuracy", str(SAMPLE / "episodes.jsonl")), 4, "is an episodes file", "--answers")
    assert_reported(command("accuracy", out, "--write", "--answers", str(SAMPLE_FILE)), 2, "--answers", "--output")
    assert_reported(command("accuracy", out, str(alone), "--write"), 2, "alone.parquet is not the folder of a run")
    assert_reported(command("accuracy", out, "--answers", str(tmp_path / "gone.jsonl")), 2, "gone.jsonl")
    assert_reported(command("accuracy", out, "-o", str(alone)), 2, "exists;", "--overwrite")
    assert_reported(command("accuracy", out, "-o", out), 2, "is a folder")
    assert_reported(command("accuracy", out, "-o", str(tmp_path / "no" / "x.parquet")), 2, "no folder ")
    assert command("accuracy", str(alone), "-o", str(nothing), "--overwrite").code == 0
    assert pq.read_table(nothing).num_rows == 1
    assert not (tmp_path / "out" / "accuracy.parquet").exists()


def test_no_torch_is_imported(few: Run) -> None:
    code = (
        "import sys\n"
        "from socialcli.cli import main\n"
        "from socialcli.verbs.accuracy.command import command\n"
        "assert not {'torch', 'pyarrow', 'numpy'} & set(sys.modules)\n"  # what showing the help costs
        f"command.main([{str(few.output)!r}, '--answers', {str(SAMPLE_FILE)!r}], standalone_mode=False)\n"
        "assert not {'torch', 'transformers', 'av', 'matplotlib'} & set(sys.modules)\n"
    )
    words = [sys.executable, "-c", code]
    told = subprocess.run(words, env=shell_environment(), check=True, capture_output=True, text=True)
    assert few.stdout.startswith(f"{told.stdout}coverage: ")


def test_a_file_of_the_run_itself_is_no_output(tmp_path: Path) -> None:
    folder = leave(tmp_path / "out", answered("10"))
    for name in ("predictions.parquet", "accuracy.parquet"):
        (folder / name).touch()
        done = command("accuracy", str(folder), "-o", str(folder / name), "--overwrite")
        assert_reported(done, 2, "belongs to the run in")
