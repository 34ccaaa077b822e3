"""`socialcli train`, killed or interrupted at any moment: the same command resumes, to the same weights."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ...conftest import SAMPLE
from ..runs import FAMILY, shell_environment
from .test_train import FEW, furthest, log, manifest, train, weights, world

__all__ = ["world"]

OPTIONS = ("--epochs", "12", "--lr", "1e-2", "--bias-warmup", "8", "--save-steps", "1", "--lora-dropout", "0.1")


@pytest.fixture(scope="module")
def undisturbed(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # the fixture
    """The uninterrupted training."""
    output = tmp_path_factory.mktemp("undisturbed")
    assert train(world, output, *OPTIONS).code == 0
    return output


def started(episodes: Path, output: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "socialcli", "train", str(episodes), "--model", FAMILY]
    words += ["--checkpoint", str(SAMPLE / "checkpoints" / FAMILY), *FEW, *OPTIONS, "-o", str(output)]
    return subprocess.Popen(words, env=shell_environment(), stderr=subprocess.PIPE, text=True)


def wait_for_state(output: Path, process: subprocess.Popen[str], older_than: int = 0) -> None:
    """Until a state newer than that (ns) is written."""
    deadline = time.monotonic() + 120
    state = output / "state.safetensors"
    while process.poll() is None and time.monotonic() < deadline:
        if state.exists() and state.stat().st_mtime_ns > older_than:
            return
        time.sleep(0.002)


def test_three_kills_end_with_the_same_weights(world: Path, undisturbed: Path, tmp_path: Path) -> None:
    output, random_delay = tmp_path / "out", random.Random(0)
    killed = 0
    for _ in range(3):
        process = started(world, output)
        wait_for_state(output, process, older_than=time.time_ns())
        time.sleep(random_delay.uniform(0, 0.3))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        assert not (output / "adapter").exists() or killed < 3
    assert killed > 0
    assert manifest(output)["outcome"] == "running"
    assert train(world, output, *OPTIONS).code == 0
    assert furthest(output, undisturbed) < 1e-6
    assert max(float(weight.abs().max()) for weight in weights(output).values()) > 1e-3
    mine, theirs = ([row for row in log(folder) if row["loss"] is not None] for folder in (output, undisturbed))
    assert [row["step"] for row in mine] == list(range(1, 25))
    assert [row["loss"] for row in mine] == pytest.approx([row["loss"] for row in theirs], rel=1e-6)
    assert not list(output.glob(".*.tmp")) or killed  # a kill in the middle of a write may leave its temporary file


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_every_update(
    world: Path,
    undisturbed: Path,
    tmp_path: Path,
    number: int,
    code: int,
) -> None:
    output = tmp_path / "out"
    process = started(world, output)
    wait_for_state(output, process)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    found = manifest(output)
    assert (found["outcome"], found["exit_code"]) == ("interrupted", code)
    assert 0 < found["counts"]["steps_done"] < found["counts"]["steps"]
    assert log(output)[-1]["step"] == found["counts"]["steps_done"]
    assert train(world, output, *OPTIONS).code == 0
    assert manifest(output)["resumed_from"] == found["counts"]["steps_done"]
    assert furthest(output, undisturbed) < 1e-6


def test_an_interrupt_while_judging_loses_no_accuracy(
    world: Path,
    undisturbed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as changed:
        changed.setattr("socialcli.verbs.train.epochs.judge", interrupted)
        assert train(world, tmp_path, *OPTIONS).code == 130
    assert manifest(tmp_path)["counts"]["steps_done"] == 2
    assert [row["accuracy"] for row in log(tmp_path)] == [None, None]
    assert train(world, tmp_path, *OPTIONS).code == 0
    assert furthest(tmp_path, undisturbed) < 1e-6
    mine, theirs = ([(row["step"], row["accuracy"]) for row in log(folder)] for folder in (tmp_path, undisturbed))
    assert mine == theirs


def test_a_training_that_only_lacks_its_end_does_no_more_updates(
    world: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "loss.png")

    with monkeypatch.context() as changed:
        changed.setattr("socialcli.verbs.train.plot.draw_training", full)
        assert train(world, tmp_path, *OPTIONS, "--max-steps", "3").code == 1
    assert manifest(tmp_path)["outcome"] == "error"
    assert train(world, tmp_path, *OPTIONS, "--max-steps", "3").code == 0
    assert [row["step"] for row in log(tmp_path) if row["loss"] is not None] == [1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "log.parquet", "loss.png", "train.json"]
