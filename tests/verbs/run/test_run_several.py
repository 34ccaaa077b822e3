"""Runs of several episodes files, and what their folders tell before the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ...conftest import SAMPLE
from ..runs import (
    FAMILY,
    SAMPLE_FILE,
    Run,
    assert_reported,
    command,
    last_of_each,
    mentioned,
    record,
    shell_environment,
    write,
)

CHECKPOINT = ("--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two files of an episode each, in folders of their own with their own videos."""
    paths = []
    for name, index in (("one", 0), ("two", 1)):
        episode = record(index)
        episode["questions"] = [mentioned(episode)]
        folder = tmp_path / name
        (folder / "videos").mkdir(parents=True)
        (folder / episode["video"]["path"]).write_bytes((SAMPLE / episode["video"]["path"]).read_bytes())
        paths.append(write(folder / "episodes.jsonl", [episode]))
    return paths


def ask(files: list[Path], output: Path, *options: str) -> Run:
    words = ("--task", "mentioned", "--frames", "1", "-o", str(output), *options)
    return command("run", *map(str, files), *CHECKPOINT, *words)


def test_each_file_has_its_own_folder_of_videos_and_a_file_can_be_added(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = ask(files[:1], out).validated()
    both = ask(files, out).validated()
    assert first.code == both.code == 0, both.stderr
    assert [row["status"] for row in both.rows] == ["ok", "ok"]
    assert (both.manifest["counts"]["kept"], both.manifest["counts"]["rows"]) == (1, 2)
    assert both.manifest["settings"]["more_episodes"] == [str(files[1])]
    assert "nothing to do" in ask(files, out).stderr
    os.utime(files[1].parent / record(1)["video"]["path"], (1, 1))  # of the second file's folder: looked at again
    again = ask(files, out)
    assert "nothing to do" not in again.stderr and again.manifest["counts"]["kept"] == 2
    assert_reported(ask(files[:1], out), 2, "more_episodes")


def test_plan_takes_them_too(files: list[Path]) -> None:
    done = command("plan", *map(str, files), *CHECKPOINT, "--task", "mentioned", "--frames", "1", "--json")
    assert json.loads(done.stdout)["rows"] == 2 and json.loads(done.stdout)["failures"] == 0


@pytest.mark.parametrize("name", ["run", "plan", "validate"])
def test_an_id_in_two_files_is_reported_with_both(name: str, files: list[Path], tmp_path: Path) -> None:
    files[1].write_text(files[0].read_text(encoding="utf-8"), encoding="utf-8")
    options = () if name == "validate" else (*CHECKPOINT, "--task", "mentioned")
    output = ("-o", str(tmp_path / "out")) if name == "run" else ()
    done = command(name, *map(str, files), *options, *output)
    assert_reported(done, 4, str(files[0]), str(files[1]), record(0)["episode_id"])
    assert not (tmp_path / "out").exists()


def test_a_bad_row_names_its_file(files: list[Path], tmp_path: Path) -> None:
    files[1].write_text("{\n", encoding="utf-8")
    done = ask(files, tmp_path / "out", "--max-failures", "100%")
    assert f"{files[1]}:1:" in done.stderr


def test_a_run_that_is_killed_leaves_its_counts_and_a_folder_that_can_be_read(tmp_path: Path) -> None:
    out = tmp_path / "out"
    program = "from socialcli.results.parts import PartWriter; PartWriter.__init__.__defaults__ = (2, 30.0); "
    program += "from socialcli.cli import main; main()"
    words = ["run", str(SAMPLE_FILE), *CHECKPOINT, "--task", "all", "--frames", "1", "-o", str(out)]
    started = subprocess.Popen([sys.executable, "-c", program, *words], env=shell_environment(), stderr=subprocess.PIPE)
    try:
        while started.poll() is None and _counted(out) < 3:
            time.sleep(0.05)
        assert started.poll() is None, started.stderr.read() if started.stderr else ""
    finally:
        started.send_signal(signal.SIGKILL)
        started.wait()
    manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
    counts = manifest["counts"]
    assert manifest["outcome"] == "running" and counts["rows"] == counts["ok"] >= 3
    assert counts["expected"] > counts["rows"]
    table = command("accuracy", str(out), "--json")
    (told,) = json.loads(table.stdout)["folders"]
    assert f"of {counts['expected']} answers count" in told["warnings"][0] and "killed" in told["warnings"][0]
    found = sum(row["n"] + row["single_candidate"] for row in told["accuracy"] if row["task"] != "all")
    assert counts["rows"] <= found < counts["expected"]
    compared = command("compare", str(out), str(out), "--json")
    assert compared.code == 0 and "answers count" in compared.stderr
    assert_reported(command("accuracy", str(out), "--write"), 2, "is unfinished")


def _counted(out: Path) -> int:
    try:
        return int(json.loads((out / "run.json").read_text(encoding="utf-8"))["counts"]["rows"])
    except FileNotFoundError:
        return 0


def test_a_done_run_expected_what_it_has(files: list[Path], tmp_path: Path) -> None:
    counts = ask(files, tmp_path / "out").manifest["counts"]
    assert counts["expected"] == counts["rows"] == 2


def test_the_last_of_each_is_what_the_helper_says() -> None:
    words = ("run", "e", "--model", "a", "--task", "x", "-o", "out", "--task", "y", "--model", "b", "--output", "new")
    assert last_of_each(words) == ("run", "e", "--task", "x", "--task", "y", "--model", "b", "--output", "new")
