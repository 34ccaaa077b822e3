"""`socialcli sweep` and `measure`, killed at random moments: the same command resumes to the same results."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ...conftest import SAMPLE
from ..again import assert_same
from ..runs import FAMILY, Record, record, shell_environment, write

# A part for each batch or episode, so that a short piece of work has many.
PROGRAM = """
import json, sys
from socialcli.results.parts import PartWriter
PartWriter.__init__.__defaults__ = (1, 30.0)
from socialcli.cli import main
main(json.loads(sys.argv[1]))
"""
EPISODES = 4
KINDS = {"sweep": ("sweep.json", "parts", "predictions.parquet"), "measure": ("measure.json", "measured_parts", "")}


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [record(index) for index in range(EPISODES)]
    return write(tmp_path_factory.mktemp("in") / "episodes.jsonl", lines)


def started(what: str, episodes: Path, output: Path) -> subprocess.Popen[str]:
    words = [what, str(episodes), "--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY)]
    words += ["--task", "all", "--frames", "1", "--media-root", str(SAMPLE), "-o", str(output)]
    words += ["--alpha", "1,2", "--lambda", "5e-5,1"] if what == "sweep" else []
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(words)],
        env=shell_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def manifest(what: str, output: Path) -> Record:
    found: Record = json.loads((output / KINDS[what][0]).read_text(encoding="utf-8"))
    return found


def parts(what: str, output: Path) -> list[Path]:
    return sorted((output / KINDS[what][1]).glob("[0-9]*.parquet"))


def wait_for_parts(what: str, output: Path, process: subprocess.Popen[str], more_than: int) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and len(parts(what, output)) <= more_than and time.monotonic() < deadline:
        time.sleep(0.002)


def same_results(what: str, output: Path, undisturbed: Path) -> None:
    assert sorted(path.name for path in output.iterdir()) == sorted(path.name for path in undisturbed.iterdir())
    if what == "sweep":
        mine, theirs = (pq.read_table(folder / "predictions.parquet").to_pylist() for folder in (output, undisturbed))
        assert_same(mine, theirs)
    tables = ("accuracy",) if what == "sweep" else ("attention", "heads", "measured")
    for name in tables:
        assert pq.read_table(output / f"{name}.parquet").equals(pq.read_table(undisturbed / f"{name}.parquet"))
    for name in ("best",) if what == "sweep" else ("summary", "top_heads"):
        assert manifest(what, output)[name] == manifest(what, undisturbed)[name]


@pytest.fixture(scope="module", params=["sweep", "measure"])
def undisturbed(request: pytest.FixtureRequest, episodes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, under the command's name, of uninterrupted work."""
    output = tmp_path_factory.mktemp("undisturbed") / request.param
    _, stderr = started(request.param, episodes, output).communicate(timeout=300)
    assert "the results are in" in stderr
    return output


def test_three_kills_end_with_the_same_results(episodes: Path, undisturbed: Path, tmp_path: Path) -> None:
    what, output, delay = undisturbed.name, tmp_path / "out", random.Random(7)
    known: dict[str, float | None] = {}
    for _ in range(3):
        process = started(what, episodes, output)
        wait_for_parts(what, output, process, more_than=len(parts(what, output)))
        time.sleep(delay.uniform(0, 0.2))
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        assert manifest(what, output)["outcome"] == "running"
        for part in parts(what, output):
            known |= {row["key"]: row.get("seconds") for row in pq.read_table(part).to_pylist()}
    process = started(what, episodes, output)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    assert len(known) >= 3
    same_results(what, output, undisturbed)
    counts = manifest(what, output)["counts"]
    if what == "sweep":
        rows = pq.read_table(output / "predictions.parquet").to_pylist()
        assert counts["kept"] == len(known)
        assert {row["key"]: row["seconds"] for row in rows if row["key"] in known} == known  # none asked twice
    else:
        lines = map(json.loads, episodes.read_text(encoding="utf-8").splitlines())
        assert counts["kept"] == sum(len(line["questions"]) for line in list(lines)[: len(known)])  # none asked twice
    _, stderr = started(what, episodes, output).communicate(timeout=300)
    assert "nothing to do" in stderr


def test_a_signal_keeps_what_was_done(episodes: Path, undisturbed: Path, tmp_path: Path) -> None:
    what, output = undisturbed.name, tmp_path / "out"
    number, code = (signal.SIGINT, 130) if what == "sweep" else (signal.SIGTERM, 143)
    process = started(what, episodes, output)
    wait_for_parts(what, output, process, more_than=0)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    found = manifest(what, output)
    assert (found["outcome"], found["exit_code"]) == ("interrupted", code)
    assert parts(what, output)
    process = started(what, episodes, output)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0 and manifest(what, output)["counts"]["kept"] > 0, stderr
    same_results(what, output, undisturbed)
