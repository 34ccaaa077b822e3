"""`socialcli train` on a small synthetic world with the tiny checkpoints: what it leaves, and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from socialcli.synth.settings import SynthSettings
from socialcli.synth.synthesis import SynthRequest, synthesize

from ...conftest import SAMPLE
from ...results.samples import disk_of, validator
from ..runs import FAMILY, Run, assert_reported, command

FEW = ("--frames", "1", "--task", "videoqa", "--questions-per-clip", "all", "--lora-rank", "4")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten episodes, eight to learn from, one to be judged by, one to be tested on."""
    folder = tmp_path_factory.mktemp("world")
    settings = SynthSettings(size=(112, 112), frames=4, fps=2)
    synthesize(SynthRequest(settings, folder, episodes=10, seed=5, workers=1))
    return folder / "episodes.parquet"


def train(episodes: Path, output: Path, *options: str, family: str = FAMILY) -> Run:
    """`socialcli train` with a family's tiny checkpoint; what `options` name wins."""
    model = ["--model", family, "--checkpoint", str(SAMPLE / "checkpoints" / family)]
    return command("train", str(episodes), *model, *FEW, "-o", str(output), *options)


def weights(output: Path) -> dict[str, torch.Tensor]:
    return load_file(output / "adapter" / "adapter_model.safetensors")


def log(output: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(output / "log.parquet").to_pylist()
    return rows


def manifest(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / "train.json").read_text(encoding="utf-8"))
    return found


def furthest(one: Path, other: Path) -> float:
    mine, theirs = weights(one), weights(other)
    assert mine.keys() == theirs.keys()
    return max(float((mine[name] - theirs[name]).abs().max()) for name in mine)


def answers(episodes: Path, output: Path, *options: str, family: str = FAMILY) -> Run:
    """What a run with that training's adapter answers."""
    model = ["--model", family, "--checkpoint", str(SAMPLE / "checkpoints" / family)]
    return command("run", str(episodes), *model, "--frames", "1", "--task", "videoqa", "-o", str(output), *options)


@pytest.fixture(scope="module")
def trained(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole training of two epochs."""
    output = tmp_path_factory.mktemp("trained")
    done = train(world, output, "--epochs", "2", "--lr", "1e-2", "--bias-warmup", "2")
    assert done.code == 0, done.stderr
    return output


def test_what_is_left(trained: Path) -> None:
    assert sorted(path.name for path in trained.iterdir()) == ["adapter", "log.parquet", "loss.png", "train.json"]
    assert (trained / "loss.png").read_bytes().startswith(b"\x89PNG")
    found = manifest(trained)
    validator("train").validate(found)
    assert found["accuracy"]["videoqa"]["questions"] == 4
    assert (found["outcome"], found["exit_code"]) == ("done", 0)
    assert found["counts"]["questions"] == 32
    assert found["counts"]["steps"] == found["counts"]["steps_done"] == 4
    assert found["settings"]["learning_rate"] == 1e-2


def test_the_log_has_every_update_and_the_accuracy_after_each_epoch(trained: Path) -> None:
    rows = log(trained)
    updates = [row for row in rows if row["loss"] is not None]
    assert [row["step"] for row in updates] == [1, 2, 3, 4]
    assert [row["bias_floor"] for row in updates] == [2.0, 0.0, 0.0, 0.0]
    assert [row["questions"] for row in updates] == [16, 16, 16, 16]
    assert all(0 < row["active_heads"] <= 1 for row in updates)
    judged = [row for row in rows if row["accuracy"] is not None]
    assert [(row["epoch"], row["split"], row["task"], row["questions"]) for row in judged] == [
        (1, "validation", "videoqa", 4),
        (2, "validation", "videoqa", 4),
    ]


def test_an_adapter_learns_by_heart_and_is_loaded_back(family: str, world: Path, tmp_path: Path) -> None:
    """On four questions the loss falls far, and a run with the adapter answers all of them right.

    Not to 0: a state of 32 numbers under the final norm gives no token of the vocabulary all of the probability.
    """
    one = tmp_path / "one.jsonl"
    first = json.loads(next(iter(_lines(world))))
    one.write_text(json.dumps(first) + "\n", encoding="utf-8")
    root = ("--media-root", str(world.parent))
    done = train(one, tmp_path / "out", "--epochs", "40", "--lr", "1e-2", *root, family=family)
    assert done.code == 0, done.stderr
    losses = [row["loss"] for row in log(tmp_path / "out")]
    assert losses[-1] < 0.5 < 5 < losses[0]
    plain = answers(one, tmp_path / "plain", *root, family=family)
    taught = answers(one, tmp_path / "taught", "--adapter", str(tmp_path / "out" / "adapter"), *root, family=family)
    assert plain.code == taught.code == 0
    assert [row["correct"] for row in taught.rows] == [True] * 4
    for row, before in zip(taught.rows, plain.rows, strict=True):
        assert max(row["scores"]) > -0.1 > max(before["scores"])
    written = answers(
        one,
        tmp_path / "written",
        *("--adapter", str(tmp_path / "out" / "adapter"), "--answer", "generate"),
        *root,
        family=family,
    )
    assert [len(row["raw_text"].strip()) for row in written.rows] == [1] * 4  # a letter, and the end


def _lines(world: Path) -> Iterator[str]:
    from socialcli.episodes.reading import read_records

    return (json.dumps(found.record) for found in read_records(world) if found.record)


def test_all_weights_as_a_checkpoint(world: Path, tmp_path: Path) -> None:
    done = train(world, tmp_path / "out", "--full", "--epochs", "1", "--lr", "1e-3")
    assert done.code == 0, done.stderr
    checkpoint = tmp_path / "out" / "checkpoint"
    model = ["--model", FAMILY, "--checkpoint", str(checkpoint), "--frames", "1", "--task", "videoqa"]
    ran = command("run", str(world), *model, "-o", str(tmp_path / "run"))
    assert ran.code == 0, ran.stderr
    before = load_file(SAMPLE / "checkpoints" / FAMILY / "model.safetensors")
    after = load_file(checkpoint / "model.safetensors")
    assert before.keys() == after.keys()
    changed = {name.partition(".")[0] for name in before if not torch.equal(before[name].float(), after[name].float())}
    assert any("vision" in name or "multi_modal" in name for name in before)
    assert len(changed) > 1  # more than the decoder learns


def test_accumulating_changes_nothing_but_rounding(world: Path, trained: Path, tmp_path: Path) -> None:
    done = train(world, tmp_path, "--epochs", "2", "--lr", "1e-2", "--bias-warmup", "2", "--accumulate", "3")
    assert done.code == 0, done.stderr
    losses = [row["loss"] for row in log(tmp_path) if row["loss"] is not None]
    assert losses == pytest.approx([row["loss"] for row in log(trained) if row["loss"] is not None], rel=1e-3)


def test_checkpointing_layers_changes_nothing(world: Path, trained: Path, tmp_path: Path) -> None:
    done = train(world, tmp_path, "--epochs", "2", "--lr", "1e-2", "--bias-warmup", "2", "--gradient-checkpointing")
    assert done.code == 0, done.stderr
    assert furthest(tmp_path, trained) < 1e-5


def test_a_half_precision_base_with_float32_layers(world: Path, tmp_path: Path) -> None:
    done = train(world, tmp_path, "--epochs", "1", "--dtype", "bfloat16")
    assert done.code == 0, done.stderr
    assert {weight.dtype for weight in weights(tmp_path).values()} == {torch.float32}
    assert all(row["loss"] < 20 for row in log(tmp_path) if row["loss"] is not None)


def test_a_finished_training_is_left_as_it_is(world: Path, trained: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    again = train(world, trained, "--epochs", "2", "--lr", "1e-2", "--bias-warmup", "2")
    assert again.code == 0
    assert "nothing to do" in again.stderr
    assert again.stdout.splitlines()[0].split() == ["task", "n", "accuracy", "failed"]
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


def test_json_is_the_manifest(world: Path, trained: Path) -> None:
    again = train(world, trained, "--epochs", "2", "--lr", "1e-2", "--bias-warmup", "2", "--json")
    assert json.loads(again.stdout) == manifest(trained)


def test_other_settings_are_reported_one_by_one(world: Path, trained: Path) -> None:
    again = train(world, trained, "--epochs", "2", "--lr", "2e-2", "--seed", "3", "--bias-warmup", "2")
    assert_reported(again, 2, "learning_rate: 0.01 there, 0.02 now", "seed: 0 there, 3 now", "--overwrite")


def test_a_file_without_answers(world: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.jsonl"
    records = [json.loads(line) for line in _lines(world)]
    for one in records:
        for question in one["questions"]:
            del question["answer"]
    silent.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    done = train(silent, tmp_path / "out", "--media-root", str(world.parent))
    assert_reported(done, 4, "nothing to learn from", "none of the 40 questions of the tasks has an answer")
    assert not (tmp_path / "out").exists()


def test_a_split_that_is_missing(world: Path, tmp_path: Path) -> None:
    assert_reported(train(world, tmp_path, "--train-split", "trian"), 2, "'trian'", "'test', 'train', 'validation'")


def test_a_missing_video_costs_its_own_questions(world: Path, tmp_path: Path) -> None:
    records = [json.loads(line) for line in _lines(world)]
    records[0]["video"]["path"] = "videos/gone.mp4"
    file = tmp_path / "episodes.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    done = train(file, tmp_path / "out", "--epochs", "1", "--media-root", str(world.parent))
    assert_reported(done, 3, "4 of 32 questions could not be used")
    assert manifest(tmp_path / "out")["counts"]["lost"] == 4
    assert "gone.mp4" in manifest(tmp_path / "out")["problems"][0]
    written = (tmp_path / "out" / "adapter" / "adapter_model.safetensors").stat().st_mtime_ns
    again = train(file, tmp_path / "out", "--epochs", "1", "--media-root", str(world.parent))
    assert_reported(again, 3, "4 of 32 questions could not be used")
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").stat().st_mtime_ns == written


def test_a_full_disk_leaves_nothing_half_written(world: Path, trained: Path, tmp_path: Path) -> None:
    options = ("--epochs", "2", "--lr", "1e-2", "--bias-warmup", "2")
    with disk_of(12_000):
        done = train(world, tmp_path, *options)
    assert_reported(done, 1, "state.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.parquet", "train.json"]
    assert manifest(tmp_path)["outcome"] == "error"
    assert train(world, tmp_path, *options).code == 0
    assert furthest(tmp_path, trained) == 0


def test_a_damaged_state_is_reported(world: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = train(world, tmp_path / "out", "--epochs", "1")
    assert done.code == 0
    found = manifest(tmp_path / "out")
    (tmp_path / "out" / "train.json").write_text(json.dumps(found | {"outcome": "interrupted"}), encoding="utf-8")
    (tmp_path / "out" / "state.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{")
    assert_reported(train(world, tmp_path / "out", "--epochs", "1"), 4, "state.safetensors", "damaged", "--overwrite")
    assert train(world, tmp_path / "out", "--epochs", "1", "--overwrite").code == 0


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--bias-warmup", "5", "--alignment", "off"), ("--bias-warmup", "--alignment is off")),
        (("--bias-warmup", "5", "--bias", "probability"), ("--bias-warmup", "probability")),
        (("--dtype", "float16"), ("float16", "bfloat16")),
        (("--accumulate", "9"), ("--accumulate 9", "--batch-size")),
        (("--lora-targets", "q_porj"), ("'q_porj'", "q_proj")),
        (("--questions-per-clip", "0"), ("--questions-per-clip",)),
        (("--inputs", "L", "--alignment", "on"), ("--alignment on needs the video",)),
    ],
)
def test_usage(world: Path, tmp_path: Path, options: tuple[str, ...], parts: tuple[str, ...]) -> None:
    done = train(world, tmp_path / "out", *options)
    assert done.code == 2, done.stderr
    assert all(part in done.stderr for part in parts), done.stderr
    assert not (tmp_path / "out" / "train.json").exists()


def test_a_loss_that_is_no_number_ends_the_training(world: Path, tmp_path: Path) -> None:
    done = train(world, tmp_path, "--lr", "1e30", "--epochs", "3", "--warmup", "0")
    assert_reported(done, 3, "the gradient is no number", "--learning-rate")
    assert not (tmp_path / "adapter").exists()
