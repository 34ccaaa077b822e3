"""How much of a recording can be aligned: told by every command, and held against --min-coverage."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from ..conftest import SAMPLE
from ..results.samples import validator
from .runs import FAMILY, Record, Run, assert_reported, command, record, run, write

SETTINGS = ("--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY), "--frames", "2")


def renamed(episode: Record, names: dict[str, str] | None = None) -> Record:
    """The episode with other labels on its boxes: person_1, person_2, ..., or those of `names` on some of them."""
    boxed = dict.fromkeys(box["speaker"] for box in episode["boxes"])
    new = names or {name: f"person_{number}" for number, name in enumerate(boxed, start=1)}
    episode["boxes"] = [{**box, "speaker": new.get(box["speaker"], box["speaker"])} for box in episode["boxes"]]
    episode["speakers"] += [{"id": name} for name in new.values()]
    return episode


@pytest.fixture
def unmatched(media: Path) -> Path:
    """Three episodes whose speakers and boxes have different labels."""
    return write(media / "unmatched.jsonl", [renamed(record(index)) for index in range(3)])


@pytest.fixture
def half(media: Path) -> Path:
    """An episode as it should be, and one whose boxes have other labels."""
    return write(media / "half.jsonl", [record(0), renamed(record(1))])


def test_nothing_aligned_is_a_warning_and_no_head_is_active(unmatched: Path) -> None:
    done = run(
        unmatched, unmatched.parent / "out", "--frames", "2", "--alignment", "both", tasks=["target"]
    ).validated()
    assert done.code == 0
    (warning,) = done.manifest["warnings"]
    assert "speakers without a box: 11 in 3 episodes (speaker1, " in warning
    assert "boxes of people who say nothing: 11 in 3 episodes (person_1, " in warning
    assert "3 of 3 (kitchen-keys, office-numbers, park-football)" in warning
    assert done.stderr.count("nothing can be aligned") == 1
    assert done.stderr.index(warning) < done.stderr.index("loading")  # before hours of work, not behind them
    assert done.stdout.splitlines()[-1].startswith(
        "coverage: 0 of 20 utterances (0.0%) with a visual token of the speaker; "
    )
    off, on = done.by_id(alignment=False), done.by_id()
    for name, row in on.items():
        assert (row["active_heads"], row["active_head_count"], row["negative_bias"]) == (0.0, 0, None)
        assert row["scores"] == off[name]["scores"] and row["box_tokens"] > 0
        assert row["utterances"] > 0 and row["covered_utterances"] == 0
        assert off[name]["utterances"] == row["utterances"] and off[name]["covered_utterances"] == 0
    found = done.manifest["coverage"]
    assert (found["utterances"], found["near_box"], found["prompt_utterances"], found["covered_utterances"]) == (
        *(20, 0, 20, 0),
    )
    assert found["labels_without_speaker"] == ["person_1", "person_2", "person_3", "person_4"]


def test_too_little_coverage_exits_with_4_before_the_model(unmatched: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.json").write_text("{}")  # loading this is another error
    out = unmatched.parent / "out"
    words = (str(unmatched), "--model", FAMILY, "--checkpoint", str(bare), "--task", "target", "-o", str(out))
    for name in ("run", "plan", "sweep", "measure"):
        done = command(name, *words, "--min-coverage", "50%")
        assert_reported(done, 4, "--min-coverage 50%: 0 of 20", "speaker1", "person_1", "same label")
        assert done.stdout == ""
    train = [{**renamed(record(index)), "split": "train"} for index in range(2)]
    done = command("train", str(write(unmatched.parent / "train.jsonl", train)), *words[1:], "--min-coverage", "50%")
    assert_reported(done, 4, "--min-coverage 50%: 0 of 13", "speaker1", "person_1")
    assert not out.exists() or not list(out.glob("*"))


def test_without_alignment_coverage_is_reported_and_not_asked_for(unmatched: Path) -> None:
    options = ("--frames", "2", "--limit", "1", "--min-coverage", "50%")
    done = run(unmatched, unmatched.parent / "out", *options, "--alignment", "off", tasks=["target"]).validated()
    assert done.code == 0 and done.manifest["warnings"] == []
    assert done.manifest["coverage"]["covered_utterances"] == 0 and "nothing can be aligned" not in done.stderr
    assert done.stdout.splitlines()[-1].startswith("coverage: 0 of 6 utterances")


def test_partly_covered(half: Path) -> None:
    words = (str(half), *SETTINGS, "--task", "target")
    planned = json.loads(command("plan", *words, "--json", "--min-coverage", "40%").stdout)
    found = planned["coverage"]
    assert (found["covered_utterances"], found["prompt_utterances"], found["uncovered_episode_ids"]) == (
        *(6, 13),
        ["office-numbers"],
    )
    assert [(one["episode_id"], one["covered_utterances"]) for one in found["by_episode"]] == [
        ("kitchen-keys", 6),
        ("office-numbers", 0),
    ]
    assert planned["warnings"] == []
    out = half.parent / "out"
    done = command("run", *words, "-o", str(out), "--min-coverage", "40%").validated()
    assert done.code == 0 and done.manifest["warnings"] == []
    for name in found.keys() - {"by_episode"}:
        assert done.manifest["coverage"][name] == found[name]
    assert "episodes without any: 1 of 2 (office-numbers)" in done.stdout
    heads = {row["episode_id"]: row["active_heads"] for row in done.rows}
    assert heads["kitchen-keys"] > 0 and heads["office-numbers"] == 0
    after = json.loads(command("plan", *words, "--json", "-o", str(out)).stdout)  # nothing is left to ask
    assert after["kept"] == len(done.rows) and after["coverage"]["covered_utterances"] == 6
    assert_reported(command("run", *words, "-o", str(out), "--min-coverage", "60%"), 4, "6 of 13 utterances (46.2%)")
    assert len(done.rows) == len(done.validated().rows)  # what was done is still there


def test_boxes_that_the_model_does_not_see_are_reported_by_plan(media: Path) -> None:
    """The annotation has a box near every utterance, but none near a sampled frame."""
    episode = record(0)
    first = min(line["start"] for line in episode["utterances"])
    episode["utterances"] = [{**line, "start": 1.4, "end": 1.6} for line in episode["utterances"]]
    people = {line["speaker"] for line in episode["utterances"]}
    box = episode["boxes"][0]
    episode["boxes"] = [{**box, "speaker": who, "time": 1.5} for who in sorted(filter(None, people))]
    assert first < 1.4
    file = write(media / "far.jsonl", [episode])
    assert command("validate", str(file), "--min-coverage", "100%").code == 0
    words = (str(file), *SETTINGS, "--task", "target", "--limit", "1", "--box-gap", "0.2")
    assert_reported(command("plan", *words, "--min-coverage", "50%"), 4, "0 of 6 utterances", "--frames", "--box-gap")
    done = command("run", *words, "-o", str(media / "out"), "--min-coverage", "50%").validated()
    (warning,) = done.manifest["warnings"]
    assert done.code == 0 and warning.startswith("nothing can be aligned: 0 of 6") and "no sampled frame" in warning


def test_validate_counts_without_a_video(half: Path, unmatched: Path) -> None:
    found = command("validate", str(half))
    assert found.code == 0
    first, last = found.stdout.splitlines()
    assert first.startswith(
        "coverage: 6 of 13 utterances (46.2%) with a box of the speaker within 1 s; speakers without"
    )
    assert last.endswith("no problems") and "nothing can be aligned" not in found.stderr
    assert_reported(command("validate", str(half), "--min-coverage", "50%"), 4, "6 of 13", "office-numbers")
    none = command("validate", str(unmatched))
    assert none.code == 0 and "speakers without a box" in none.stderr and "person_1" in none.stderr
    both = json.loads(command("validate", str(half), str(unmatched), "--json").stdout)
    assert (both["coverage"]["episodes"], both["coverage"]["near_box"]) == (5, 6)
    assert [one["near_box"] for one in both["files"][0]["coverage"]["by_episode"]] == [6, 0]


def test_validate_knows_labels_that_differ_in_case(media: Path) -> None:
    episode = record(0)
    names = {box["speaker"]: box["speaker"].upper() for box in episode["boxes"]}
    done = command("validate", str(write(media / "case.jsonl", [renamed(episode, names)])))
    assert "'speaker1' and 'SPEAKER1'" in done.stderr and "differ only in case" in done.stderr


def test_a_gap_of_ones_own(media: Path) -> None:
    episode = record(0)
    episode["boxes"] = [box for box in episode["boxes"] if box["time"] < 0.5]
    file = write(media / "early.jsonl", [episode])
    near = [
        json.loads(command("validate", str(file), "--json", "--box-gap", gap).stdout)["coverage"]["near_box"]
        for gap in ("0", "2", "60")
    ]
    assert near == sorted(near) and near[0] < near[2] == len(episode["utterances"])


def test_inspect_tells_what_a_question_reaches(unmatched: Path) -> None:
    found = command("inspect", str(unmatched), *SETTINGS, "--limit", "1")
    assert found.code == 0
    assert (
        "Coverage: 0 of 6 utterances (0.0%) with a visual token of the speaker; speakers without a box: 3"
        in found.stdout
    )
    assert found.stderr.count("nothing can be aligned") == 1
    (line,) = command("inspect", str(unmatched), *SETTINGS, "--limit", "1", "--json").stdout.splitlines()
    validator("inspection").validate(json.loads(line))
    assert json.loads(line)["coverage"]["covered_utterances"] == 0


def test_inspect_counts_each_episode_once(unmatched: Path) -> None:
    """Several questions on an episode are one episode, also where each knows another part of it."""
    for context in ("full", "past"):
        found = command("inspect", str(unmatched), *SETTINGS, "--episode", "kitchen-keys", "--context", context)
        assert found.code == 0 and found.stdout.count("Coverage: ") > 1
        (warning,) = [line for line in found.stderr.splitlines() if "nothing can be aligned" in line]
        assert "0 of 6 utterances" in warning and "speakers without a box: 3 (" in warning
        assert warning.endswith("episodes without any: 1 of 1 (kitchen-keys)")


def test_measure_and_sweep_write_it_down(half: Path) -> None:
    for name in ("measure", "sweep"):
        out = half.parent / name
        done = command(name, str(half), *SETTINGS, "--task", "target", "-o", str(out))
        written: dict[str, Any] = json.loads((out / f"{name}.json").read_text())
        assert done.code == 0, done.stderr
        assert (written["coverage"]["covered_utterances"], written["coverage"]["prompt_utterances"]) == (6, 13)


@pytest.mark.parametrize("wrong", ["50", "101%", "half"])
def test_a_limit_that_is_none_is_a_usage_error(episodes: Path, wrong: str) -> None:
    out = episodes.parent / "out"
    assert_reported(run(episodes, out, "--min-coverage", wrong), 2, "--min-coverage", "50%")
    assert_reported(command("validate", str(episodes), "--min-coverage", wrong), 2, "--min-coverage")


def convert(tmp_path: Path, *options: str) -> Run:
    words = ("convert", "tracks", str(SAMPLE / "videos" / "kitchen-keys.mp4"), "--media-root", str(SAMPLE))
    subtitles, boxes = str(tmp_path / "talk.srt"), str(tmp_path / "tracks.csv")
    return command(*words, "--subtitles", subtitles, "--boxes", boxes, "-o", str(tmp_path / "e.jsonl"), *options)


@pytest.mark.parametrize(
    ("label", "near", "told"),
    [
        ("7", 0, "boxes of people who say nothing: 1 (7)"),
        ("Мария", 2, ""),
        ("МАРИЯ", 0, "'Мария' and 'МАРИЯ'"),
        (unicodedata.normalize("NFD", "Марий"), 0, "speakers without a box: 1 (Мария)"),
    ],
)
def test_convert_tells_it_of_a_recording(tmp_path: Path, label: str, near: int, told: str) -> None:
    srt = "1\n00:00:00,500 --> 00:00:01,500\nМария: Привет.\n\n2\n00:00:01,500 --> 00:00:03,000\nМария: Да.\n"
    (tmp_path / "talk.srt").write_text(srt, encoding="utf-8")
    (tmp_path / "tracks.csv").write_text(f"track,time,x0,y0,x1,y1\n{label},1.5,20,40,120,200\n", encoding="utf-8")
    done = convert(tmp_path)
    assert done.code == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"coverage: {near} of 2 utterances")
    assert ("nothing can be aligned" in done.stderr) is (near == 0) and told in done.stderr
    account = json.loads(convert(tmp_path, "--overwrite", "--json").stdout)
    assert (account["coverage"]["utterances"], account["coverage"]["near_box"]) == (2, near)


def test_large_clips_are_noted(episodes: Path) -> None:
    model = ("--model", "qwen2.5-vl", "--frames", "28")
    planned = command(
        *("plan", str(episodes), *model, "--checkpoint", str(SAMPLE / "checkpoints" / "qwen2.5-vl")),
        *("--task", "target", "--limit", "1"),
    )
    for done in (planned, command("validate", str(episodes), *model)):
        assert done.code == 0, done.stderr
        (note,) = [line for line in done.stdout.splitlines() if line.startswith("note: ")]
        assert "more than 4,096 visual tokens" in note and "4,186" in note and "--max-pixels" in note
    few = command("validate", str(episodes), *model, "--max-pixels", "100000")
    assert few.code == 0 and "note: " not in few.stdout
    assert "note: " not in command("validate", str(episodes), "--frames", "400").stdout  # of no model, none is known
    assert_reported(command("validate", str(episodes), "--max-pixels", "9"), 2, "--model")
    assert_reported(command("validate", str(episodes), "--model", "none"), 2, "none")
