"""`socialcli run` with names, values and folders that are not there, or stand in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ...conftest import SAMPLE
from ..runs import FAMILY, SAMPLE_FILE, assert_reported, command, run, shell_environment

CHECKPOINT = str(SAMPLE / "checkpoints" / FAMILY)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "llava-next-vide"], "there is no model 'llava-next-vide'. Did you mean 'llava-next-video'?"),
        (["--task", "mentions"], "there is no task 'mentions'. Did you mean 'mentioned'?"),
        (["--bias", "publishd"], "there is no bias rule 'publishd'. Did you mean 'published'?"),
        (["--alignment", "yes"], "'yes' is not one of 'on', 'off', 'both'"),
        (["--answer", "guess"], "'guess' is not one of 'score', 'generate'"),
        (["--frames", "0"], "0 is not in the range x>=1"),
        (["--frames", "many"], "'many' is not a valid integer"),
        (["--limit", "-1"], "-1 is not in the range x>=0"),
        (["--timeout-per-question", "0"], "0 is not in the range x>0"),
        (["--alpha", "-1"], "-1.0 is not in the range x>=0"),
        (["--alpha", "nan"], "'nan' is not a finite number"),
        (["--layers", "middle"], "--layers 'middle' names no layers: write auto, all, a layer like 12"),
        (["--layers", "9-99"], "--layers 9-99 reaches beyond the model's decoder, which has"),
        (["--layers", "9-3"], "--layers 9-3 runs backwards"),
        (["--max-failures", "some"], "--max-failures 'some' is no limit"),
        (["--max-failures", "120%"], "is more than all of the rows"),
        (
            ["--frame-fit", "squash"],
            "--frame-fit 'squash' is not offered by llava-next-video; choose among pad, crop, stretch",
        ),
        (["--positions", "trained"], "llava-next-video has one rule for positions; leave it out"),
        (["--max-pixels", "9999"], "--max-pixels 9999: llava-next-video has no cap on a frame's pixels; leave it out"),
        (["--max-pixels", "0"], "0 is not in the range x>=1"),
        (["--device", "cuda:99"], "device 'cuda:99' is not available"),
        (["--device", "gpu"], "device 'gpu' is not available"),
        (["--inputs", "VL", "--boxes-as", "text"], "--boxes-as text makes the inputs VLB, and --inputs says VL"),
        (["--inputs", "VLB", "--boxes-as", "none"], "--boxes-as none hides them"),
        (["--inputs", "L", "--alignment", "on"], "--alignment on needs the video, and --inputs L leaves it out"),
        (["--inputs", "L", "--alignment", "both"], "--alignment both needs the video"),
        (["--media-root", "/nowhere/at/all"], "--media-root /nowhere/at/all: there is no such folder"),
        (["--checkpoint", "./checkpoints/llava"], "--checkpoint ./checkpoints/llava: there is no such folder"),
        (["--checkpoint", str(SAMPLE_FILE)], "is a file; name the folder that holds it"),
        (["--checkpoint", CHECKPOINT, "--revision", "v1"], "is a folder; only a hub id has revisions"),
        (["--checkpoint", str(SAMPLE)], "has no config.json: name the folder in which it lies"),
        (
            ["--checkpoint", str(SAMPLE / "checkpoints" / "internvl3")],
            "holds a model of type 'internvl', not 'llava_next_video'",
        ),
        (["--checkpoint", "llava"], "is neither a folder nor an id on the hub"),
        (["--modle", "x"], "No such option"),
    ],
)
def test_a_name_or_value_that_is_missing(tmp_path: Path, options: list[str], message: str) -> None:
    precious = tmp_path / "predictions.parquet"
    precious.write_bytes(b"earlier results")
    tasks = () if "--task" in options else ("mentioned",)
    done = run(SAMPLE_FILE, tmp_path, "--overwrite", *options, tasks=tasks)
    assert_reported(done, 2, message)
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == [precious]
    assert precious.read_bytes() == b"earlier results"


def test_a_frame_fit_on_a_model_that_has_none(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", "--frame-fit", "pad", family="qwen2.5-vl")
    assert_reported(done, 2, "--frame-fit 'pad' is not offered by qwen2.5-vl", "leave it out")


def test_a_cap_below_one_cell(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", "--max-pixels", "783", family="qwen2.5-vl")
    assert_reported(done, 2, "--max-pixels 783 is less than one cell of 28 x 28 pixels; give 784 or more")


@pytest.mark.parametrize("missing", ["--model", "--task", "-o"])
def test_a_required_option_is_named(missing: str) -> None:
    given = {"--model": FAMILY, "--task": "mentioned", "-o": "out"}
    del given[missing]
    done = command("run", str(SAMPLE_FILE), *(part for pair in given.items() for part in pair))
    assert_reported(done, 2, "Missing option", missing)


def test_a_typo_is_reported_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "predictions.parquet").touch()
    common = ["--checkpoint", CHECKPOINT, "-o", str(tmp_path / "out")]
    good = [str(SAMPLE_FILE), "--model", FAMILY, "--task", "mentioned", *common]
    typos = [
        [str(SAMPLE_FILE) + "x", *good[1:]],
        [*good, "--model", "llava"],
        [*good, "--task", "mentionned"],
        [*good, "--bias", "none"],
        [*good, "--layers", "ten"],
        [*good, "--frame-fit", "none"],
        [*good, "--positions", "none"],
        [*good, "--max-pixels", "1000"],
        [*good, "--checkpoint", "/nowhere"],
        [*good, "--adapter", "/nowhere"],
        [*good, "--merge"],
        [*good, "--media-root", "/nowhere"],
        [*good, "-o", str(tmp_path)],
        [*good, "--max-failures", "x"],
    ]
    program = (
        "import json, sys\n"
        "from socialcli.cli import main\n"
        "for words in json.loads(sys.argv[1]):\n"
        "    try:\n"
        "        main(['run', *words])\n"
        "    except SystemExit as end:\n"
        "        print(end.code, 'torch' in sys.modules or 'transformers' in sys.modules)\n"
    )
    words = [sys.executable, "-c", program, json.dumps(typos)]
    done = subprocess.run(words, env=shell_environment(), capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["2 False"] * len(typos), done.stderr


def test_a_checkpoint_of_the_hub_that_cannot_be_had_offline(tmp_path: Path) -> None:
    precious = tmp_path / "run.json"
    precious.write_text("{}")
    words = [sys.executable, "-m", "socialcli", "run", str(SAMPLE_FILE), "--model", FAMILY, "--task", "target"]
    environment = {**shell_environment(), "HF_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [*words, "-o", str(tmp_path), "--overwrite"], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("socialcli: error:")]
    assert "checkpoint 'llava-hf/LLaVA-NeXT-Video-7B-hf': there is no such folder, and as a hub id: " in error
    assert "HF_HUB_OFFLINE is set and the hub's cache does not hold it; fetch it with " in error
    assert precious.read_text() == "{}"


def test_results_are_not_replaced_unasked(tmp_path: Path) -> None:
    few = ("--limit", "1", "--frames", "1")
    assert run(SAMPLE_FILE, tmp_path, *few).code == 0
    again = run(SAMPLE_FILE, tmp_path, *few, tasks=["target"])
    assert_reported(again, 2, "holds a run with other settings", "tasks:", "--overwrite")
    assert [row["task"] for row in again.rows] == ["mentioned"]
    replaced = run(SAMPLE_FILE, tmp_path, *few, "--overwrite", tasks=["target"])
    assert (replaced.code, [row["task"] for row in replaced.rows]) == (0, ["target"])


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert_reported(run(SAMPLE_FILE, tmp_path / "out"), 2, "--output", "is a file")
    assert_reported(run(SAMPLE_FILE, tmp_path / "out" / "deep"), 2, f"{tmp_path / 'out'} is no folder")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    assert_reported(run(SAMPLE_FILE, tmp_path / "out"), 2, "nothing can be written to")


def test_a_settings_file(tmp_path: Path) -> None:
    config = tmp_path / "nightly.toml"
    config.write_text('[run]\nframes = 3\nalignment = "off"\nmax-failures = 5\nlimit = 1\n')
    done = run(SAMPLE_FILE, tmp_path / "out", "--config", str(config), "--frames", "1")
    settings = done.validated().manifest["settings"]
    assert (settings["frames"], settings["alignment"], settings["max_failures"]) == (1, "off", "5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[run]\nframe = 3\n", "there is no key 'frame'. Did you mean 'frames'?"),
        ('[run]\nframes = "3"\n', "frames: expected a whole number, not '3'"),
        ("frames = 3\n", "key 'frames' is outside any table"),
    ],
)
def test_a_settings_file_with_a_mistake(tmp_path: Path, text: str, message: str) -> None:
    config = tmp_path / "nightly.toml"
    config.write_text(text)
    assert_reported(run(SAMPLE_FILE, tmp_path / "out", "--config", str(config)), 2, str(config), message)


def test_settings_from_the_environment(tmp_path: Path) -> None:
    chosen = {"SOCIALCLI_RUN_FRAMES": "3", "SOCIALCLI_RUN_LAMBDA": "0.5", "SOCIALCLI_RUN_LIMIT": "1"}
    done = run(SAMPLE_FILE, tmp_path, "--frames", "1", environment=chosen)
    settings = done.manifest["settings"]
    assert (settings["frames"], settings["lambda"], settings["limit"]) == (1, 0.5, 1)
    wrong = run(SAMPLE_FILE, tmp_path / "out", environment={"SOCIALCLI_RUN_FRAMES": "few"})
    assert_reported(wrong, 2, "'few' is not a valid integer")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("x.csv", "x"),
        ("x.jsonl", "x"),
        ("x.parquet", "x"),
        ("x.json", "x"),
        ("x.jsonl.gz", "x"),
        ("r.1.CSV", "r.1"),
        (".parquet", "results"),
    ],
)
@pytest.mark.parametrize("name_of_command", ["run", "sweep", "measure", "train", "plan", "synth"])
def test_a_folder_named_like_a_table_is_refused(name_of_command: str, name: str, plain: str, tmp_path: Path) -> None:
    episodes = [] if name_of_command == "synth" else [str(SAMPLE_FILE), "--model", FAMILY, "--task", "all"]
    done = command(name_of_command, *episodes, "-o", str(tmp_path / name))
    assert_reported(done, 2, "ends like a table", "parquet", f"--output {tmp_path / plain}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "made"), [("x.csv", True), ("x.csv/", False), ("run.v2", False), ("csv", False)])
def test_a_folder_that_is_there_or_is_named_as_one_is_taken(name: str, made: bool, tmp_path: Path) -> None:
    if made:
        (tmp_path / name).mkdir()
    asked = ["--model", FAMILY, "--checkpoint", CHECKPOINT, "--task", "mentioned", "--limit", "1"]
    done = command("run", str(SAMPLE_FILE), *asked, "-o", f"{tmp_path}/{name}")
    assert done.code == 0, done.stderr
    assert (tmp_path / name / "predictions.parquet").is_file()
