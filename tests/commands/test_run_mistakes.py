"""`socialcli run` in the hands of careless users: one clear message, the right exit code, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..conftest import SAMPLE
from ..distributions import Install, site_folder
from ..runs.samples import disk_of
from ..video.clips import cut, write_sound
from .runs import (
    FAMILY,
    SAMPLE_FILE,
    Record,
    Run,
    command,
    question_ids,
    record,
    run,
    sample_records,
    shell_environment,
    write,
)

CHECKPOINT = str(SAMPLE / "checkpoints" / FAMILY)
Change = Callable[[Record], object]


def assert_told(done: Run, code: int, *parts: str) -> None:
    """The run ended with `code` and one error, whose line holds `parts`."""
    assert done.code == code, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.lower().startswith(("socialcli: error:", "error:"))]
    assert len(errors) == 1, done.stderr
    for part in parts:
        assert part in errors[0]


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """A folder with the videos of the first three episodes of the sample."""
    (tmp_path / "videos").mkdir()
    for index in range(3):
        path = record(index)["video"]["path"]
        shutil.copy(SAMPLE / path, tmp_path / path)
    return tmp_path


# The file


def no_file(folder: Path) -> Path:
    return folder / "episodes.jsonl"


def empty(folder: Path) -> Path:
    (folder / "empty.jsonl").touch()
    return folder / "empty.jsonl"


def blank(folder: Path) -> Path:
    (folder / "blank.jsonl").write_text("\n \n")
    return folder / "blank.jsonl"


def picture(folder: Path) -> Path:
    (folder / "photo.jsonl").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    return folder / "photo.jsonl"


def spreadsheet(folder: Path) -> Path:
    (folder / "episodes.csv").write_text("id,text\n1,hello\n")
    return folder / "episodes.csv"


def directory(folder: Path) -> Path:
    (folder / "episodes.parquet").mkdir()
    return folder / "episodes.parquet"


def truncated_parquet(folder: Path) -> Path:
    return cut(SAMPLE / "episodes.parquet", folder / "episodes.parquet", 0.5)


def other_columns(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"id": [1]}), folder / "other.parquet")
    return folder / "other.parquet"


@pytest.mark.parametrize(
    ("make", "code", "message"),
    [
        (no_file, 2, "there is no such file"),
        (empty, 4, "is empty; give a file with at least one episode"),
        (blank, 4, "holds no episodes"),
        (picture, 4, "is named .jsonl, but is a binary file"),
        (spreadsheet, 4, "its name must end in one of .parquet, .jsonl.gz, .jsonl"),
        (directory, 4, "is a folder; name the episodes file itself"),
        (truncated_parquet, 4, "is damaged, or not a whole Parquet file"),
        (other_columns, 4, "has no episodes"),
    ],
)
def test_what_is_no_episodes_file(tmp_path: Path, make: Callable[[Path], Path], code: int, message: str) -> None:
    file = make(tmp_path)
    done = run(file, tmp_path / "out")
    assert_told(done, code, str(file), message)
    assert done.stdout == ""
    assert not done.output.exists()


def test_malformed_json_costs_its_own_line(media: Path) -> None:
    file = write(media / "episodes.jsonl", [record(0), record(1), '{"schema_version": "1.0", ', record(2)])
    done = run(file, media / "out", "--frames", "1").validated()
    assert_told(done, 3, "socialcli: error: 1 row of the episodes file could not be read", "'problems' of run.json")
    assert [row["question_id"] for row in done.rows] == question_ids(
        ["mentioned"], (sample_records()[i] for i in range(3))
    )
    assert {row["status"] for row in done.rows} == {"ok"}
    assert [problem.split("; ")[0].rsplit(" (", 1)[0] for problem in done.manifest["problems"]] == [
        "episodes.jsonl:3:record: is not valid JSON at column 26"
    ]
    assert done.manifest["problems"][0] in done.stderr
    assert (done.manifest["outcome"], done.manifest["counts"]["unreadable"]) == ("failures", 1)


def test_a_line_that_is_no_json_may_be_of_any_split(media: Path) -> None:
    file = write(media / "episodes.jsonl", ["{", record(0)])
    done = run(file, media / "out", "--frames", "1", "--split", "test")
    assert (done.code, done.manifest["counts"]["unreadable"]) == (3, 1)


def test_a_file_without_a_single_episode_is_invalid_input(tmp_path: Path) -> None:
    file = write(tmp_path / "episodes.jsonl", ["{}", "nothing", "[1, 2]"])
    done = run(file, tmp_path / "out")
    assert_told(done, 4, "no row of the file is an episode", "episodes.jsonl:1:")
    assert (done.manifest["outcome"], done.manifest["exit_code"]) == ("error", 4)
    assert done.manifest["counts"]["unreadable"] == 3


# One bad episode or question among good ones


def set_video(path: str) -> Change:
    return lambda episode: episode["video"].update(path=path)


def mentioned(episode: Record) -> Record:
    question: Record = next(item for item in episode["questions"] if item["task"] == "mentioned")
    return question


def remove_field(episode: Record) -> None:
    del episode["utterances"][1]["text"]


BAD_EPISODES: list[Any] = [
    pytest.param(set_video("videos/nowhere.mp4"), "VideoError: video 'videos/nowhere.mp4' is not under", id="missing"),
    pytest.param(set_video("videos/cut.mp4"), "VideoError: ", id="truncated"),
    pytest.param(set_video("videos/sound.mp4"), "VideoError: ", id="audio-only"),
    pytest.param(set_video("videos/notes.mp4"), "VideoError: ", id="text"),
    pytest.param(set_video("../secret.mp4"), "'..' in its path", id="dot-dot"),
    pytest.param(set_video("http://example.org/a.mp4"), "only local files are opened", id="http"),
    pytest.param(set_video("/etc/passwd"), "is an absolute path", id="absolute"),
    pytest.param(lambda one: one["video"].update(width=800, height=600), "VideoError: ", id="size"),
    pytest.param(
        lambda one: one["boxes"][2].update(speaker="nobody"),
        'episodes.jsonl:2:boxes[2].speaker: "nobody" is not a speaker of the episode',
        id="speaker",
    ),
    pytest.param(remove_field, "episodes.jsonl:2:utterances[1].text: is missing", id="field"),
    pytest.param(lambda one: one.update(colour="red"), "episodes.jsonl:2:colour", id="unknown-field"),
]


@pytest.mark.parametrize(("change", "reason"), BAD_EPISODES)
def test_a_bad_episode_costs_its_own_questions(media: Path, change: Change, reason: str) -> None:
    cut(SAMPLE / record(1)["video"]["path"], media / "videos" / "cut.mp4", 0.6)
    write_sound(media / "videos" / "sound.mp4")
    (media / "videos" / "notes.mp4").write_text("to do: the video")
    episodes = [record(0), record(1), record(2)]
    change(episodes[1])
    file = write(media / "episodes.jsonl", episodes)
    done = run(file, media / "out", "--frames", "1", "--alignment", "both").validated()
    bad = question_ids(["mentioned"], [sample_records()[1]])
    assert_told(done, 3, f"{2 * len(bad)} of 8 answers failed", "'error' of predictions.parquet", "--max-failures 0")
    assert [row["question_id"] for row in done.rows[::2]] == question_ids(["mentioned"], sample_records()[:3])
    for row in done.rows:
        failed = row["question_id"] in bad
        assert row["status"] == ("failed" if failed else "ok")
        assert (reason in row["error"] and row["correct"] is False) if failed else row["error"] is None
    warnings = [line for line in done.stderr.splitlines() if "warning:" in line]
    assert len(warnings) == 1  # not one for every question and condition
    assert "episodes.jsonl:2" in warnings[0] and reason in warnings[0]
    assert {row["failed"] for row in done.accuracy} == {len(bad)}
    assert {row["n"] for row in done.accuracy} == {4}  # no failure makes the denominator smaller


BAD_QUESTIONS: list[Any] = [
    pytest.param({"answer": "somebody"}, 'answer: "somebody" is not among the candidates', id="answer"),
    pytest.param({"utterance": "u99"}, 'utterance: "u99" is not an utterance of the episode', id="utterance"),
    pytest.param({"span": [0, 999]}, "span: is [0, 999], but the utterance has", id="span"),
    pytest.param({"candidates": ["speaker1", "x"]}, 'candidates[1]: "x" is not a speaker', id="candidate"),
    pytest.param({"spam": [0, 3]}, "spam", id="unknown-field"),
    pytest.param({"id": question_ids()[0]}, "is already used in row 1", id="duplicate"),
]


@pytest.mark.parametrize(("change", "reason"), BAD_QUESTIONS)
def test_a_bad_question_costs_itself(media: Path, change: Record, reason: str) -> None:
    episodes = [record(0), record(1)]
    questions = episodes[1]["questions"]
    place = questions.index(mentioned(episodes[1]))
    assert 0 < place < len(questions) - 1
    questions[place].update(change)
    done = run(write(media / "episodes.jsonl", episodes), media / "out", "--inputs", "L", tasks=["all"]).validated()
    assert_told(done, 3, f"1 of {len(done.rows)} answers failed")
    assert [row["question_id"] for row in done.rows] == question_ids(lines=map(json.dumps, episodes))
    (failed,) = [row for row in done.rows if row["status"] == "failed"]
    assert failed["question_id"] == questions[place]["id"]
    assert f"episodes.jsonl:2:questions[{place}]" in failed["error"] and reason in failed["error"]
    assert (failed["answer"], failed["correct"]) == (questions[place]["answer"], False)


def test_failures_may_be_put_up_with(media: Path) -> None:
    episodes = [record(0), record(1)]
    set_video("gone.mp4")(episodes[1])
    file = write(media / "episodes.jsonl", [*episodes, "{"])
    bad = len(question_ids(["mentioned"], [sample_records()[1]]))
    codes = {
        limit: run(file, media / "out", "--overwrite", "--frames", "1", "--max-failures", limit).code
        for limit in (str(bad), str(bad + 1), "50%", "100%")
    }
    assert codes == {str(bad): 3, str(bad + 1): 0, "50%": 3, "100%": 0}


def test_when_everything_fails_all_of_it_may_be_put_up_with(tmp_path: Path) -> None:
    file = write(tmp_path / "episodes.jsonl", [record(0), "{"])
    done = run(file, tmp_path / "out", "--max-failures", "100%", "--json")
    assert (done.code, {row["status"] for row in done.rows}) == (0, {"failed"})
    assert json.loads(done.stdout)["outcome"] == "done"


def test_a_wrong_media_root_is_not_a_flood_of_warnings(tmp_path: Path) -> None:
    episodes = [record(index % 14) for index in range(30)]
    for index, episode in enumerate(episodes):
        episode["episode_id"] = f"e{index}"
        for question in episode["questions"]:
            question["id"] += f"/{index}"
    done = run(write(tmp_path / "episodes.jsonl", episodes), tmp_path / "out", tasks=["all"])
    warnings = [line for line in done.stderr.splitlines() if "warning:" in line]
    assert len(warnings) == 21
    assert "says why of each" in warnings[-1]


# Names and values


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "llava-next-vide"], "there is no model 'llava-next-vide'. Did you mean 'llava-next-video'?"),
        (["--task", "mentions"], "there is no task 'mentions'. Did you mean 'mentioned'?"),
        (["--bias", "logits"], "there is no bias rule 'logits'. Did you mean 'logit'?"),
        (["--alignment", "yes"], "'yes' is not one of 'on', 'off', 'both'"),
        (["--answer", "guess"], "'guess' is not one of 'score', 'generate'"),
        (["--frames", "0"], "0 is not in the range x>=1"),
        (["--frames", "many"], "'many' is not a valid integer"),
        (["--limit", "0"], "0 is not in the range x>=1"),
        (["--seed", "-1"], "-1 is not in the range x>=0"),
        (["--alpha", "-1"], "-1.0 is not in the range x>=0"),
        (["--alpha", "nan"], "--alpha nan is out of range"),
        (["--layers", "middle"], "--layers 'middle' is no range of layers: write auto, all, a layer like 12"),
        (["--layers", "9-99"], "--layers 9-99 reaches beyond the model's decoder, which has"),
        (["--layers", "9-3"], "--layers 9-3 runs backwards"),
        (["--max-failures", "some"], "--max-failures 'some' is no limit"),
        (["--max-failures", "120%"], "is more than all of the rows"),
        (
            ["--frame-fit", "squash"],
            "--frame-fit 'squash' is none of llava-next-video's; choose among pad, crop, stretch",
        ),
        (["--device", "cuda:99"], "device 'cuda:99' is not there"),
        (["--device", "gpu"], "device 'gpu' is not there"),
        (["--inputs", "VL", "--boxes-as", "text"], "--boxes-as text makes the inputs VLB, and --inputs says VL"),
        (["--inputs", "VLB", "--boxes-as", "none"], "--boxes-as none hides them"),
        (["--inputs", "L", "--alignment", "on"], "--alignment on needs the video, and --inputs L leaves it out"),
        (["--inputs", "L", "--alignment", "both"], "--alignment both needs the video"),
        (["--media-root", "/nowhere/at/all"], "--media-root /nowhere/at/all: there is no such folder"),
        (["--checkpoint", "./checkpoints/llava"], "--checkpoint ./checkpoints/llava: there is no such folder"),
        (["--checkpoint", str(SAMPLE_FILE)], "is a file; name the folder that holds it"),
        (["--checkpoint", str(SAMPLE)], "cannot be loaded"),
        (
            ["--checkpoint", str(SAMPLE / "checkpoints" / "internvl3")],
            "holds a 'internvl' model, not 'llava_next_video'",
        ),
        (["--checkpoint", "llava"], "is neither a folder nor an id on the hub"),
        (["--modle", "x"], "No such option"),
    ],
)
def test_a_name_or_value_that_is_not_there(tmp_path: Path, options: list[str], message: str) -> None:
    precious = tmp_path / "predictions.parquet"
    precious.write_bytes(b"earlier results")
    tasks = () if "--task" in options else ("mentioned",)
    done = run(SAMPLE_FILE, tmp_path, "--overwrite", *options, tasks=tasks)
    assert_told(done, 2, message)
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == [precious]
    assert precious.read_bytes() == b"earlier results"


def test_a_frame_fit_on_a_model_that_has_none(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", "--frame-fit", "pad", family="qwen2.5-vl")
    assert_told(done, 2, "--frame-fit 'pad' is none of qwen2.5-vl's", "leave it out")


@pytest.mark.parametrize("missing", ["--model", "--task", "-o"])
def test_a_required_option_is_named(missing: str) -> None:
    given = {"--model": FAMILY, "--task": "mentioned", "-o": "out"}
    del given[missing]
    done = command("run", str(SAMPLE_FILE), *(part for pair in given.items() for part in pair))
    assert_told(done, 2, "Missing option", missing)


def test_a_typo_is_told_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "run.json").touch()
    common = ["--checkpoint", CHECKPOINT, "-o", str(tmp_path / "out")]
    good = [str(SAMPLE_FILE), "--model", FAMILY, "--task", "mentioned", *common]
    typos = [
        [str(SAMPLE_FILE) + "x", *good[1:]],
        [*good, "--model", "llava"],
        [*good, "--task", "mentionned"],
        [*good, "--bias", "none"],
        [*good, "--layers", "ten"],
        [*good, "--frame-fit", "none"],
        [*good, "--checkpoint", "/nowhere"],
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
    assert "checkpoint 'llava-hf/LLaVA-NeXT-Video-7B-hf' cannot be loaded" in error
    assert "Give --checkpoint a folder" in error
    assert precious.read_text() == "{}"


# The folder


def test_results_are_not_replaced_unasked(tmp_path: Path) -> None:
    few = ("--limit", "1", "--frames", "1")
    assert run(SAMPLE_FILE, tmp_path, *few).code == 0
    again = run(SAMPLE_FILE, tmp_path, *few, tasks=["target"])
    assert_told(again, 2, "holds the results of a run (predictions.parquet, accuracy.parquet, run.json)", "--overwrite")
    assert [row["task"] for row in again.rows] == ["mentioned"]
    replaced = run(SAMPLE_FILE, tmp_path, *few, "--overwrite", tasks=["target"])
    assert (replaced.code, [row["task"] for row in replaced.rows]) == (0, ["target"])


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    assert_told(run(SAMPLE_FILE, tmp_path / "out"), 2, "--output", "is a file")
    assert_told(run(SAMPLE_FILE, tmp_path / "out" / "deep"), 2, f"{tmp_path / 'out'} is no folder")
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    assert_told(run(SAMPLE_FILE, tmp_path / "out"), 2, "nothing can be written to")


def test_a_full_disk(tmp_path: Path) -> None:
    with disk_of(6000):
        done = run(SAMPLE_FILE, tmp_path, "--frames", "1", "--limit", "12", tasks=["all"])
    assert_told(done, 1, str(tmp_path / "predictions.parquet"), "File too large")
    assert done.manifest["outcome"] == "error"
    assert "predictions.parquet" in done.manifest["problems"][0]
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


# Settings from elsewhere


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
        ("frames = 3\n", "the key 'frames' stands in no table"),
    ],
)
def test_a_settings_file_with_a_mistake(tmp_path: Path, text: str, message: str) -> None:
    config = tmp_path / "nightly.toml"
    config.write_text(text)
    assert_told(run(SAMPLE_FILE, tmp_path / "out", "--config", str(config)), 2, str(config), message)


def test_settings_from_the_environment(tmp_path: Path) -> None:
    chosen = {"SOCIALCLI_RUN_FRAMES": "3", "SOCIALCLI_RUN_LAMBDA": "0.5", "SOCIALCLI_RUN_LIMIT": "1"}
    done = run(SAMPLE_FILE, tmp_path, "--frames", "1", environment=chosen)
    settings = done.manifest["settings"]
    assert (settings["frames"], settings["lambda"], settings["limit"]) == (1, 0.5, 1)
    wrong = run(SAMPLE_FILE, tmp_path / "out", environment={"SOCIALCLI_RUN_FRAMES": "few"})
    assert_told(wrong, 2, "'few' is not a valid integer")


# Nothing to ask


@pytest.mark.parametrize(
    ("options", "tasks", "message"),
    [
        (["--split", "train"], ["mentioned"], "no episode is of the split 'train'; the file has: test 1"),
        ([], ["coref"], "the file has no question of coref; it has: mentioned 1, somebody-elses 1"),
        ([], ["all"], "questions of tasks that no plug-in provides were left out: somebody-elses 1"),
    ],
)
def test_a_run_that_leaves_all_or_some_out_says_so(
    media: Path, options: list[str], tasks: list[str], message: str
) -> None:
    episode = record()
    episode["questions"] = [mentioned(episode), {"id": "other", "task": "somebody-elses", "text": "Why?"}]
    file = write(media / "episodes.jsonl", [episode])
    done = run(file, media / "out", "--frames", "1", *options, tasks=tasks).validated()
    assert done.code == 0
    assert f"socialcli: warning: {message}" in done.stderr.splitlines()
    assert done.manifest["warnings"] == [message]
    assert len(done.rows) == (1 if tasks == ["all"] else 0)


def test_alignment_without_a_box_is_a_warning(media: Path) -> None:
    episode = record()
    episode["boxes"] = []
    done = run(write(media / "episodes.jsonl", [episode]), media / "out", "--frames", "1", "--limit", "1")
    assert done.code == 0
    assert "no question could be aligned" in done.manifest["warnings"][0]
    assert done.manifest["warnings"][0] in done.stderr


# Signals


STUCK = """
import pathlib, time
from socialcli.hookspecs import hookimpl
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
    done = Run(process.returncode, stdout, stderr, media / "out").validated()
    assert_told(done, code, word)
    assert [row["question_id"] for row in done.rows] == question_ids(["mentioned"], sample_records()[:2])
    assert (done.manifest["outcome"], done.manifest["exit_code"]) == ("interrupted", code)
    assert done.manifest["counts"]["ok"] == len(done.rows)
    assert sorted(path.name for path in done.output.iterdir()) == ["predictions.parquet", "run.json"]
