"""`socialcli run` on the sample and on real footage, with the tiny checkpoints of all three families."""

from __future__ import annotations

import gzip
import json
import math
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.version import Version
from PIL import Image

from socialcli.episodes.reading import read_episodes, read_records
from socialcli.video.sampling import sample_frames

from ...conftest import ROOT, SAMPLE
from ..runs import (
    FAMILY,
    SAMPLE_FILE,
    Run,
    close,
    command,
    question_ids,
    record,
    run,
    sample_records,
    shell_environment,
    write,
)

ALL_FOUR = ("videoqa", "target", "coref", "mentioned")

SampleRun = Callable[..., Run]


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    """Run on two frames of the first sample clips (the first has five questions, of all four tasks), each run once."""

    @cache
    def done(family: str, *options: str, tasks: Sequence[str] = ("all",), limit: int = 5, clips: int = 1) -> Run:
        folder = tmp_path_factory.mktemp("out")
        few = ("--frames", "2", "--limit", str(limit), "--media-root", str(SAMPLE))
        episodes = write(folder / "episodes.jsonl", map(record, range(clips)))
        result = run(episodes, folder / "out", *few, *options, family=family, tasks=tasks)
        assert result.code == 0, result.stderr
        return result

    return done


def test_the_first_command_of_the_readme(family: str, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"^pip install \. && socialcli (run .*)$", readme, re.MULTILINE)
    assert found
    words = shlex.split(found[1])
    output = words.index("-o") + 1
    words[output] = str(tmp_path / words[output])
    done = command(*(word.replace(FAMILY, family).replace("sample_data", str(SAMPLE)) for word in words)).validated()
    assert done.code == 0, done.stderr
    assert {(row["status"], row["model"]) for row in done.rows} == {("ok", family)}
    world = [row.episode for row in read_episodes(SAMPLE / "world" / "episodes.parquet") if row.episode is not None]
    asked = [question.id for one in world for question in one.questions]
    for aligned in (False, True):
        assert [row["question_id"] for row in done.rows if row["alignment"] is aligned] == asked
    for row in done.accuracy:
        of_chance = math.sqrt(row["chance"] * (1 - row["chance"]) / row["n"])  # standard error of guessing
        if row["alignment"]:
            assert row["accuracy"] > (0.9 if row["task"] == "videoqa" else row["chance"] + 2 * of_chance), row
        else:
            assert row["accuracy"] < row["chance"] + 4 * of_chance, row
    (shown,) = (
        block for block in re.findall(r"^```text\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL) if "videoqa" in block
    )
    headings, *lines = shown.splitlines()
    assert done.stdout.splitlines()[0] == headings
    told = done.stdout.splitlines()[1 : len(lines) + 1]  # notes can follow
    assert [line.split()[:3] for line in told] == [line.split()[:3] for line in lines]


@pytest.mark.parametrize("task", ALL_FOUR)
def test_every_task(family: str, task: str, sample_run: SampleRun) -> None:
    done = sample_run(family, tasks=(task,), limit=2, clips=2).validated()
    assert [row["question_id"] for row in done.rows] == question_ids([task])[:2]
    assert [row["status"] for row in done.rows] == ["ok", "ok"]


def test_all_tasks_together_keep_the_order_of_the_file(family: str, sample_run: SampleRun) -> None:
    done = sample_run(family).validated()
    assert [row["question_id"] for row in done.rows] == question_ids()[:5]
    assert {row["task"] for row in done.rows} == set(ALL_FOUR)
    assert all(row["active_heads"] > 0 and row["box_tokens"] > 0 for row in done.rows)


def test_both_conditions_of_a_question_stand_together_and_are_those_of_single_runs(
    family: str, sample_run: SampleRun
) -> None:
    both, on, off = (sample_run(family, "--alignment", value) for value in ("both", "on", "off"))
    assert [row["alignment"] for row in both.validated().rows] == [False, True] * 5
    assert [row["question_id"] for row in both.rows[::2]] == [row["question_id"] for row in both.rows[1::2]]
    for alone, alignment in ((on, True), (off, False)):
        for name, row in both.by_id(alignment).items():
            assert close(row["scores"], alone.by_id(alignment)[name]["scores"])
            assert row["key"] == alone.by_id(alignment)[name]["key"]
    assert not any(close(row["scores"], off.by_id(False)[name]["scores"]) for name, row in on.by_id().items())
    assert not {row["key"] for row in on.rows} & {row["key"] for row in off.rows}


def test_alpha_0_changes_nothing(family: str, sample_run: SampleRun) -> None:
    done = sample_run(family, "--alignment", "both", "--alpha", "0")
    for name, row in done.by_id().items():
        assert close(row["scores"], done.by_id(False)[name]["scores"])


def test_generated_answers(family: str, sample_run: SampleRun) -> None:
    done = sample_run(family, "--answer", "generate").validated()
    assert {row["status"] for row in done.rows} <= {"ok", "unparsed"}
    assert all(row["scores"] is None and isinstance(row["raw_text"], str) for row in done.rows)
    of_tasks = [row for row in done.accuracy if row["task"] != "all"]
    assert sum(row["unparsed"] for row in of_tasks) == sum(row["status"] == "unparsed" for row in done.rows)


def test_language_alone(family: str, sample_run: SampleRun) -> None:
    done = sample_run(family, "--inputs", "L").validated()
    for row in done.rows:
        assert (row["status"], row["visual_tokens"], row["frame_times"], row["alignment"]) == ("ok", 0, None, False)
        assert row["boxes_unseen"] is None


def test_boxes_in_the_prompt_make_it_longer(family: str, sample_run: SampleRun) -> None:
    done, plain = sample_run(family, "--boxes-as", "text").validated(), sample_run(family)
    for row in done.rows:
        assert (row["inputs"], row["boxes_as"], row["status"]) == ("VLB", "text", "ok")
        assert row["prompt_tokens"] > plain.by_id()[row["question_id"]]["prompt_tokens"]


def test_boxes_on_the_frames_change_what_the_model_sees(family: str, sample_run: SampleRun) -> None:
    done, plain = sample_run(family, "--boxes-as", "overlay").validated(), sample_run(family)
    for row in done.rows:
        other = plain.by_id()[row["question_id"]]
        assert (row["inputs"], row["boxes_as"], row["status"]) == ("VLB", "overlay", "ok")
        assert row["visual_tokens"] == other["visual_tokens"]
        assert not close(row["scores"], other["scores"])


def test_the_other_bias_rule_gives_other_scores(family: str, sample_run: SampleRun) -> None:
    done, plain = sample_run(family, "--bias", "probability").validated(), sample_run(family)
    assert {row["bias"] for row in done.rows} == {"probability"}
    assert not any(close(row["scores"], plain.by_id()[name]["scores"]) for name, row in done.by_id().items())


def test_past_context_shows_no_frame_from_after_the_utterance(family: str, sample_run: SampleRun) -> None:
    done = sample_run(family, "--context", "past").validated()
    ends = {item["id"]: item["end"] for item in record()["utterances"]}
    asked = {item["id"]: item.get("utterance") for item in record()["questions"]}
    late = [row for row in done.rows if asked[row["question_id"]] is not None]
    assert len(late) == 3
    for row in late:
        assert row["status"] == "ok"
        assert max(row["frame_times"]) <= ends[asked[row["question_id"]]]


def as_images(folder: Path, fps: int = 5) -> dict[str, Any]:
    """The first sample episode, with its clip as a folder of images."""
    episode = record()
    folder.mkdir(parents=True)
    for index, frame in enumerate(sample_frames(SAMPLE / episode["video"]["path"], 6 * fps, 0.0, 6.0).frames):
        Image.fromarray(frame.image).save(folder / f"{index:04d}.png")
    episode["video"] = {"path": folder.name, "fps": fps, "width": 640, "height": 360}
    return episode


def test_what_comes_after_the_utterance_changes_nothing_with_past_context(tmp_path: Path) -> None:
    episode = as_images(tmp_path / "clip")
    question = next(item for item in episode["questions"] if item["task"] == "mentioned")
    episode["questions"] = [question]
    end = next(item["end"] for item in episode["utterances"] if item["id"] == question["utterance"])
    scores = {}
    for name in ("as it was", "changed"):
        file = write(tmp_path / "episodes.jsonl", [episode])
        for context in ("past", "full"):
            done = run(file, tmp_path / name / context, "--context", context)
            assert done.code == 0, done.stderr
            scores[name, context] = done.rows[0]["scores"]
        later = [item for item in episode["utterances"] if item["start"] >= end]
        assert len(later) >= 3
        for item in later:
            item["text"] = "Nobody said any of this at the time."
        episode["boxes"] = [box for box in episode["boxes"] if box["time"] <= end]
        for index in range(int(end * 5) + 1, 30):
            noise = np.random.default_rng(index).integers(0, 256, (360, 640, 3), dtype=np.uint8)
            Image.fromarray(noise).save(tmp_path / "clip" / f"{index:04d}.png")
    assert scores["as it was", "past"] == scores["changed", "past"]
    assert not close(scores["as it was", "full"], scores["changed", "full"])


def test_parquet_jsonl_and_gzip_give_the_same_rows(tmp_path: Path) -> None:
    packed = tmp_path / "episodes.jsonl.gz"
    packed.write_bytes(gzip.compress(SAMPLE_FILE.read_bytes()))
    options = ("--frames", "2", "--limit", "7", "--alignment", "both", "--media-root", str(SAMPLE))
    files = (SAMPLE / "episodes.parquet", SAMPLE_FILE, packed)
    runs = [run(file, tmp_path / str(index), *options, tasks=["all"]) for index, file in enumerate(files)]
    timeless = [[{**row, "seconds": 0} for row in done.validated().rows] for done in runs]
    assert [done.code for done in runs] == [0, 0, 0]
    assert timeless[0] == timeless[1] == timeless[2]


def test_the_batch_size_changes_neither_rows_nor_scores(family: str, sample_run: SampleRun) -> None:
    runs = [
        sample_run(family, "--alignment", "both", "--batch-size", size, clips=2, limit=11).rows
        for size in ("1", "3", "8")
    ]
    assert len(runs[0]) == 22
    for other in runs[1:]:
        for one, two in zip(runs[0], other, strict=True):
            assert (one["question_id"], one["alignment"]) == (two["question_id"], two["alignment"])
            assert close(one["scores"], two["scores"])
            assert one["key"] == two["key"]


def test_real_footage(family: str, real_footage: Path, tmp_path: Path) -> None:
    done = run(real_footage, tmp_path, "--frames", "2", "--alignment", "both", family=family, tasks=["all"])
    assert done.code == 0, done.stderr
    records = [line.record for line in read_records(real_footage)]
    asked = [item["id"] for one in records for item in one["questions"]]
    assert [row["question_id"] for row in done.validated().rows] == [name for name in asked for _ in range(2)]
    assert {row["status"] for row in done.rows} == {"ok"}
    assert sum(row["answer"] is None for row in done.rows) == done.manifest["counts"]["unlabelled"] == 2
    assert all(row["correct"] is None for row in done.rows if row["answer"] is None)


def test_the_split_and_the_limit(tmp_path: Path) -> None:
    some = ("--frames", "1", "--split", "validation", "--limit", "3")
    done = run(SAMPLE_FILE, tmp_path, *some, tasks=("mentioned", "coref", "mentioned"))
    validation = [line for line in sample_records() if json.loads(line)["split"] == "validation"]
    first = {name for task in ("mentioned", "coref") for name in question_ids([task], validation)[:3]}
    asked = [name for name in question_ids(["mentioned", "coref"], validation) if name in first]
    assert [row["question_id"] for row in done.rows] == asked and len(asked) == 6
    assert done.manifest["settings"]["tasks"] == ["mentioned", "coref"]


def test_a_limit_reads_the_file_no_further_than_it_needs(tmp_path: Path) -> None:
    file = write(tmp_path / "episodes.jsonl", [record(), "{"])
    done = run(file, tmp_path / "out", "--limit", "1", "--frames", "1", "--media-root", str(SAMPLE))
    assert (done.code, len(done.rows)) == (0, 1)


def test_json_is_one_object_on_standard_output(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path, "--frames", "1", "--limit", "2", "--json")
    summary = json.loads(done.stdout)
    assert summary["output"] == str(tmp_path)
    assert (summary["outcome"], summary["exit_code"], summary["counts"]["rows"]) == ("done", 0, 2)
    assert summary["accuracy"] == done.accuracy


def test_the_manifest_says_what_was_asked_and_of_what(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path, "--frames", "1", "--limit", "1", "--layers", "1").validated()
    manifest = done.manifest
    assert (manifest["outcome"], manifest["exit_code"]) == ("done", 0)
    assert manifest["settings"]["episodes"] == str(SAMPLE_FILE)
    assert (manifest["settings"]["layers"], done.rows[0]["layers"]) == ("1", "1-1")
    assert (manifest["model"]["device"], manifest["model"]["dtype"]) == ("cpu", "float32")
    assert len(manifest["model"]["checkpoint_sha256"]) == len(manifest["input_sha256"]) == 64


def test_a_key_depends_on_the_checkpoints_content_and_not_on_its_place(tmp_path: Path, sample_run: SampleRun) -> None:
    (tmp_path / "elsewhere").symlink_to(SAMPLE / "checkpoints" / FAMILY)
    few = ("--frames", "2", "--media-root", str(SAMPLE))
    first = write(tmp_path / "episodes.jsonl", [record()])
    moved = run(first, tmp_path / "out", *few, "--checkpoint", str(tmp_path / "elsewhere"), tasks=["all"])
    spelled_out = run(first, tmp_path / "padded", *few, "--frame-fit", "pad", tasks=["all"])
    stretched = run(first, tmp_path / "stretched", *few, "--frame-fit", "stretch", tasks=["all"])
    keys = [row["key"] for row in sample_run(FAMILY).rows]
    assert [row["key"] for row in moved.rows] == keys
    assert [row["key"] for row in spelled_out.rows] == keys
    assert not set(keys) & {row["key"] for row in stretched.rows}


def test_a_key_depends_on_the_rule_of_positions_and_on_the_cap_of_pixels(tmp_path: Path) -> None:
    few = ("--frames", "2", "--limit", "1")
    ways: dict[str, tuple[str, ...]] = {
        "default": (),
        "spelled out": ("--positions", "trained", "--max-pixels", str(768 * 28 * 28)),
        "smaller": ("--max-pixels", "50000"),
        "library": ("--positions", "library"),
    }
    done = {
        name: run(SAMPLE_FILE, tmp_path / name, *few, *options, family="qwen2.5-vl", tasks=["all"])
        for name, options in ways.items()
        if name != "library" or Version(version("transformers")) >= Version("5.18")
    }
    keys = {name: [row["key"] for row in one.rows] for name, one in done.items()}
    assert keys["default"] == keys.pop("spelled out")
    assert len({tuple(one) for one in keys.values()}) == len(keys)
    assert done["smaller"].rows[0]["visual_tokens"] < done["default"].rows[0]["visual_tokens"]
    assert done["smaller"].validated().manifest["settings"]["max_pixels"] == 50000


def test_the_seconds_of_the_rows_add_up_to_no_more_than_those_of_the_run(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path, "--frames", "1", "--limit", "6", tasks=["all"])
    assert all(row["seconds"] > 0 for row in done.rows)
    assert sum(row["seconds"] for row in done.rows) <= done.manifest["seconds"]


def test_python_m_socialcli(tmp_path: Path) -> None:
    few = ["--frames", "1", "--limit", "1", "--task", "target", "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY)]
    words = [sys.executable, "-m", "socialcli", "run", str(SAMPLE_FILE), "--model", FAMILY, "-o", str(tmp_path), *few]
    done = subprocess.run(words, env=shell_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("task")
    assert done.stderr.splitlines() == [
        f"socialcli: loading {FAMILY} from {SAMPLE / 'checkpoints' / FAMILY}",
        f"socialcli: the results are in {tmp_path}",
    ]
