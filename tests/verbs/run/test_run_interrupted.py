"""`socialcli run`, ended by a full disk or a signal: what was done is kept, and run.json says how it ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ...conftest import SAMPLE
from ...distributions import Install, site_folder
from ...results.samples import disk_of
from ..runs import (
    FAMILY,
    SAMPLE_FILE,
    Run,
    assert_reported,
    question_ids,
    record,
    run,
    sample_records,
    shell_environment,
    write,
)

CHECKPOINT = str(SAMPLE / "checkpoints" / FAMILY)


def test_a_full_disk(tmp_path: Path) -> None:
    with disk_of(6000):
        done = run(SAMPLE_FILE, tmp_path, "--frames", "1", "--limit", "12", tasks=["all"])
    assert_reported(done, 1, str(tmp_path / "parts" / "000001.parquet"), "File too large")
    assert done.manifest["outcome"] == "error"
    assert "000001.parquet" in done.manifest["problems"][0]
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert run(SAMPLE_FILE, tmp_path, "--frames", "1", "--limit", "12", tasks=["all"]).code == 0


STUCK = """
import pathlib, time
from socialcli.plugins.hookspecs import hookimpl
from socialcli.tasks.base import Candidate

class Stuck:
    name = "stuck"
    summary = "A question that takes for ever."
    masks_span = named = False

    def candidates(self, episode, question, labels):
        pathlib.Path(question.text).touch()
        time.sleep(120)

    def sentence(self, episode, question, labels):
        return "?"

@hookimpl
def socialcli_tasks():
    return [Stuck()]
"""


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import a plug-in from, with a task that tells when it is reached, and never answers."""
    with site_folder(tmp_path / "site", monkeypatch) as distribution:
        install: Install = distribution
        yield install("acme-stuck", STUCK)


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_keeps_what_was_done(media: Path, stuck: Path, number: int, code: int, word: str) -> None:
    reached = media / "reached"
    last = record(2)
    last["questions"] = [{"id": "never", "task": "stuck", "text": str(reached)}]
    file = write(media / "episodes.jsonl", [record(0), record(1), last])
    words = [sys.executable, "-m", "socialcli", "run", str(file), "--model", FAMILY, "--checkpoint", CHECKPOINT]
    words += ["--task", "mentioned", "--task", "stuck", "--frames", "1", "-o", str(media / "out")]
    process = subprocess.Popen(
        words, env=shell_environment(stuck), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not reached.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    done = Run(process.returncode, stdout, stderr, media / "out")
    assert_reported(done, code, word)
    (part,) = done.output.glob("parts/*")
    rows = pq.read_table(part).to_pylist()
    assert [row["question_id"] for row in rows] == question_ids(["mentioned"], sample_records()[:2])
    assert (done.manifest["outcome"], done.manifest["exit_code"]) == ("interrupted", code)
    assert done.manifest["counts"]["ok"] == len(rows)
    assert sorted(path.name for path in done.output.iterdir()) == ["parts", "run.json"]


DEAF = """
import ctypes, signal, time
import click
from socialcli.plugins.hookspecs import hookimpl

@click.command("deaf")
@click.argument("number", type=int)
def command(number):
    send = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(number))
    send()  # raises inside a callback from C, which can raise nothing
    time.sleep(60)

@hookimpl
def socialcli_commands():
    return [command]
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_a_callback_from_c_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    with site_folder(tmp_path / "site", monkeypatch) as install:
        words = [sys.executable, "-m", "socialcli", "deaf", str(int(number))]
        environment = shell_environment(install("acme-deaf", DEAF))
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=50)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


HEEDLESS = """
import pathlib, sys, time
import click
from socialcli.plugins.hookspecs import hookimpl

@click.command("heedless")
@click.argument("reached")
def command(reached):
    while True:
        try:
            pathlib.Path(reached).touch()
            time.sleep(60)
        except KeyboardInterrupt:
            pathlib.Path(reached).with_suffix(".once").touch()

@hookimpl
def socialcli_commands():
    return [command]
"""


def test_a_second_interrupt_stops_what_does_not_heed_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with site_folder(tmp_path / "site", monkeypatch) as install:
        words = [sys.executable, "-m", "socialcli", "heedless", str(tmp_path / "reached")]
        environment = shell_environment(install("acme-heedless", HEEDLESS))
        process = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)
    for sign in ("reached", "reached.once"):
        deadline = time.monotonic() + 60
        while not (tmp_path / sign).exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted twice" in stderr and "Traceback" not in stderr
