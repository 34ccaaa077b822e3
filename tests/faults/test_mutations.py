"""Two hundred damaged inputs: each ends in a documented exit code with a message, and leaves no wrong row."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ..conftest import FAMILIES, ROOT, SAMPLE
from ..verbs.runs import assert_reported, run, shell_environment
from .damaged import INPUTS, LIMIT, MOST_SECONDS
from .mutations import KINDS, mutated

COUNTS = {
    "episodes.parquet": 40,
    "episodes.jsonl": 36,
    "video.mp4": 36,
    "model.safetensors": 32,
    "config.json": 24,
    "tokenizer.json": 16,
    "processor_config.json": 16,
}
EXIT_CODES = {0, 2, 3, 4}  # 1 would be a bug


@dataclass(frozen=True)
class Result:
    """How a case ended. `died` says how the process did, where it did not live to tell."""

    runs: tuple[dict[str, Any], ...] = ()
    wrong: str | None = None
    died: str | None = None


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Result]:
    """Every case, in one process after the other: a new one begins behind the case that ended the last."""
    left = [(name, seed) for name, count in COUNTS.items() for seed in range(count)]
    found: dict[tuple[str, int], Result] = {}
    while left:
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.damaged", str(tmp_path_factory.mktemp("cases"))],
            input="".join(f"{name} {seed}\n" for name, seed in left),
            env=shell_environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS * len(left),
        )
        told = dict(_told(done.stdout))
        found |= told
        left = left[len(told) :]
        if left:
            found[left.pop(0)] = Result(died=f"exit code {done.returncode}: {done.stderr[-3000:]}")
    return found


def _told(stdout: str) -> Iterator[tuple[tuple[str, int], Result]]:
    for line in stdout.splitlines():
        case = json.loads(line)
        yield (case["input"], case["seed"]), Result(tuple(case["runs"]), case["wrong"])


def test_there_are_two_hundred_of_all_kinds_and_they_differ_from_the_sound_input() -> None:
    assert sum(COUNTS.values()) == 200
    assert COUNTS.keys() == INPUTS.keys()
    assert min(COUNTS.values()) >= len(KINDS)
    data = (SAMPLE / "episodes.jsonl").read_bytes()
    damaged = [mutated(data, seed) for seed in range(len(KINDS) * 3)]
    assert [mutated(data, seed) for seed in range(len(KINDS) * 3)] == damaged
    assert len({data, *damaged}) == len(damaged) + 1


@pytest.mark.parametrize("name", COUNTS)
def test_a_damaged_input_ends_with_a_message_and_without_a_wrong_row(
    name: str, results: dict[tuple[str, int], Result]
) -> None:
    codes = set()
    for seed in range(COUNTS[name]):
        case, result = f"{name} {seed}", results[name, seed]
        assert result.died is None, f"{case}: {result.died}"
        assert result.wrong is None, f"{case}: {result.wrong}"
        for one in result.runs:
            assert one["code"] in EXIT_CODES, f"{case}: exit code {one['code']}: {one['stderr']}"
            assert "Traceback" not in one["stderr"], f"{case}: {one['stderr']}"
            assert one["code"] == 0 or "socialcli: error: " in one["stderr"], f"{case}: {one['stderr']}"
            codes.add(one["code"])
    assert codes & {2, 3, 4}, "no damage was found at all"


@pytest.mark.parametrize(
    ("name", "seed", "words"),
    [
        ("episodes.parquet", 3, ["validate"]),
        ("episodes.jsonl", 2, ["validate"]),
        ("episodes.parquet", 11, ["run", "--model", FAMILIES[0], "--task", "all", "-o", "out"]),
    ],
)
def test_a_process_of_its_own_ends_in_the_same_way(tmp_path: Path, name: str, seed: int, words: list[str]) -> None:
    (tmp_path / name).write_bytes(mutated((SAMPLE / name).read_bytes(), seed))
    done = subprocess.run(
        [sys.executable, "-m", "socialcli", words[0], name, *words[1:]],
        cwd=tmp_path,
        env=shell_environment(),
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
    )
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert "socialcli: error: " in done.stderr


def not_numbers(name: str, value: float) -> Callable[[dict[str, torch.Tensor]], None]:
    """One weight of those whose name ends so is `value`."""

    def change(weights: dict[str, torch.Tensor]) -> None:
        weight = next(weights[key] for key in sorted(weights) if key.endswith(name))
        weight.view(-1)[0] = value

    return change


@pytest.mark.parametrize("answer", ["score", "generate"])
@pytest.mark.parametrize(
    "change",
    [
        not_numbers("layers.1.self_attn.q_proj.weight", float("nan")),
        not_numbers("layers.3.mlp.down_proj.weight", float("inf")),
        not_numbers("model.norm.weight", float("-inf")),
    ],
)
def test_weights_that_are_not_numbers_fail_and_are_no_guess(
    tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], None], answer: str
) -> None:
    source = SAMPLE / "checkpoints" / FAMILIES[0]
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    for file in source.iterdir():
        (checkpoint / file.name).write_bytes(file.read_bytes())
    weights = load_file(source / "model.safetensors")
    change(weights)
    save_file(weights, checkpoint / "model.safetensors", metadata={"format": "pt"})
    options = ("--checkpoint", str(checkpoint), "--alignment", "both", "--frames", "1", "--limit", str(LIMIT))
    done = run(SAMPLE / "episodes.jsonl", tmp_path / "out", *options, "--answer", answer)
    assert_reported(done, 3, f"{2 * LIMIT} of {2 * LIMIT} answers failed")
    assert {row["error"].split(";")[0] for row in done.rows} == {"ModelError: the model's scores are not numbers"}
