"""`socialcli sweep`, run again: it resumes, does nothing, or asks what is new, and only that."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from socialcli.alignment.attention import Alignment
from socialcli.episodes.writing import EpisodeWriter
from socialcli.inference import answers
from socialcli.inference.answers import answer_batch
from socialcli.inference.clip import ClipQuestion
from socialcli.models.contract import Adapter
from socialcli.results.lock import locked

from ...conftest import SAMPLE
from ...results.samples import disk_of, validator
from ..again import assert_same
from ..runs import FAMILY, Record, Row, Run, assert_reported, command, interrupted_after, run, small, write

FILES = ["accuracy.parquet", "alpha.png", "inputs.json", "predictions.parquet", "sweep.json"]
SPLITS = ["test", "validation", None]

Asked = Counter[tuple[str, float | None]]  # question, alpha (None: the plain model)


def sweep(episodes: Path, *options: str, output: str = "out") -> Run:
    """Sweep in a folder beside the episodes."""
    words = ["sweep", str(episodes), "--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY)]
    words += ["--task", "all", "--frames", "1", "--media-root", str(SAMPLE)]
    return command(*words, "-o", str(episodes.parent / output), *options)


def manifest(done: Run) -> Record:
    found: Record = json.loads((done.output / "sweep.json").read_text(encoding="utf-8"))
    return found


def by_setting(rows: Sequence[Row]) -> Counter[float | None]:
    return Counter(row["alpha"] for row in rows)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two episodes of the sample: of the test split and of the validation split, four questions."""
    return write(tmp_path / "episodes.jsonl", [small(0), small(11)])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Counts what goes through the model."""
    found: Asked = Counter()

    def noted(
        adapter: Adapter, questions: Sequence[ClipQuestion], conditions: Sequence[Alignment | None], *others: Any
    ) -> Any:
        found.update(
            (question.question.id, None if one is None else one.alpha) for question in questions for one in conditions
        )
        return answer_batch(adapter, questions, conditions, *others)

    monkeypatch.setattr(answers, "answer_batch", noted)
    return found


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".parquet"])
def test_episodes_without_a_split_are_asked(suffix: str, tmp_path: Path, asked: Asked) -> None:
    file = tmp_path / f"in{suffix}"
    with EpisodeWriter(file) as writer:
        for line in (small(0), small(1)):
            line.pop("split")
            line["utterances"][0]["text"] = "大家好。"
            writer.write(line)
    done = sweep(file, "--alpha", "1,2")
    assert done.code == 0, done.stderr
    assert "no best setting can be chosen" in done.stderr and "the file has: (none)" in done.stderr
    assert done.stdout.startswith("accuracy of the episodes without a split\n")
    assert len(done.rows) == 4 * 3 == len(asked) and set(asked.values()) == {1}
    assert manifest(done)["splits"] == {"validation": None, "test": [None]}
    assert {row["split"] for row in done.accuracy} == {None} and (done.output / "alpha.png").exists()


@pytest.mark.parametrize(
    ("splits", "expected"),
    [
        (("test", None), {"validation": None, "test": [None, "test"]}),
        ((None, "val"), {"validation": "val", "test": [None]}),
        (("dev", "val", None), {"validation": None, "test": [None, "dev", "val"]}),
    ],
)
def test_episodes_without_a_split_are_asked_beside_others(
    splits: Sequence[str | None], expected: Record, tmp_path: Path
) -> None:
    lines = [small(index, split=split) for index, split in enumerate(splits)]
    done = sweep(write(tmp_path / "in.jsonl", lines), "--alpha", "1")
    assert done.code == 0, done.stderr
    assert manifest(done)["splits"] == expected
    assert Counter(row["split"] for row in done.rows) == dict.fromkeys(splits, 2 * 2)
    assert bool(manifest(done)["best"]) is (expected["validation"] is not None)


def test_a_finished_sweep_is_left_as_it_is(file: Path, asked: Asked) -> None:
    first = sweep(file, "--alpha", "1,2")
    before = {path.name: path.stat().st_mtime_ns for path in first.output.iterdir()}
    assert sorted(before) == FILES
    asked.clear()
    again = sweep(file, "--alpha", "1,2", "--batch-size", "1")
    assert again.code == 0 and "nothing to do: the sweep in" in again.stderr and "loading" not in again.stderr
    assert again.stdout == first.stdout and not asked
    assert before == {path.name: path.stat().st_mtime_ns for path in first.output.iterdir()}


def test_pictures_in_another_format_are_drawn_and_nothing_is_asked(file: Path, asked: Asked) -> None:
    assert sweep(file, "--alpha", "1,2").code == 0
    asked.clear()
    again = sweep(file, "--alpha", "1,2", "--figure-format", "svg")
    assert again.code == 0 and not asked
    assert [path.name for path in again.output.glob("alpha.*")] == ["alpha.svg"]
    assert "nothing to do" in sweep(file, "--alpha", "1,2", "--figure-format", "svg").stderr


def test_expected_is_what_was_made(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds across splits, and a split that is not asked is not expected."""
    write(file, [small(0, split="a"), small(1, split="val"), small(2, split="b")])
    options = ("--alpha", "1", "--test-split", "a", "--limit", "1")
    broken = broken_after(1, file, monkeypatch, *options)
    assert broken.code == 130
    done = sweep(file, *options)
    assert manifest(broken)["counts"]["expected"] == manifest(done)["counts"]["expected"] == len(done.rows)


def test_splits_without_a_question_are_a_usage_error(file: Path) -> None:
    lines = [small(0, split="val"), small(1, split="test"), small(2, split="c")]
    for line in lines[:2]:
        line["questions"] = [{**one, "task": "another"} for one in line["questions"]]
    told = sweep(write(file, lines), "--alpha", "1", "--test-split", "test")
    assert_reported(told, 2, "no question of ", " is in the splits to ask (test, val)")
    assert not told.output.exists()


@pytest.mark.parametrize(
    ("option", "before", "now", "new"),
    [
        ("--alpha", "1,2", "1,2,4", 1),
        ("--alpha", "2", "4,2,0.5", 2),
        ("--lambda", "5e-5", "5e-5,1", 1),
        ("--layers", "1-2,3", "all,auto,3,0", 2),
        ("--bias", "published", "published,floored,constant", 2),
    ],
)
def test_more_values_ask_under_the_new_settings_alone(
    option: str, before: str, now: str, new: int, file: Path, asked: Asked
) -> None:
    few = ("--alpha", "1")
    kept = len(sweep(file, *few, option, before).rows)
    asked.clear()
    more = sweep(file, *few, option, now)
    assert more.code == 0, more.stderr
    assert asked.total() == 4 * new
    told = manifest(more)
    assert (told["asked"], told["counts"]["kept"]) == (new, len(more.rows) - 4 * new)
    settings = len(told["conditions"])
    assert f"{settings - new} settings kept, {new} asked ({kept} answers kept, {4 * new} asked)" in more.stderr
    anew = sweep(file, *few, option, now, output="anew")
    assert_same(more.rows, anew.rows, 1e-5)
    assert more.accuracy == anew.accuracy and more.stdout == anew.stdout
    assert told["best"] == manifest(anew)["best"]
    assert sorted(path.name for path in more.output.iterdir()) == sorted(path.name for path in anew.output.iterdir())
    check = validator("prediction")
    for row in more.rows:
        check.validate(row)


def test_fewer_values_lose_no_answer(file: Path, asked: Asked) -> None:
    whole = sweep(file, "--alpha", "1,2,4").rows
    asked.clear()
    less = sweep(file, "--alpha", "2")
    assert by_setting(less.rows) == {None: 4, 2: 4} and len(manifest(less)["conditions"]) == 2
    assert "2 settings kept, 0 asked" in less.stderr and "set_aside.parquet" in less.stderr
    assert not (less.output / "alpha.png").exists()
    assert by_setting(pq.read_table(less.output / "set_aside.parquet").to_pylist()) == {1: 4, 4: 4}
    other = sweep(file, "--alpha", "1,8")
    assert (by_setting(other.rows), set(asked.values())) == ({None: 4, 1: 4, 8: 4}, {1})
    assert {alpha for _, alpha in asked} == {8}
    back = sweep(file, "--alpha", "1,2,4,8")
    assert len(asked) == 4 and "set_aside" not in back.stderr
    assert_same([row for row in back.rows if row["alpha"] != 8], whole)
    assert sorted(path.name for path in back.output.iterdir()) == FILES


def test_other_splits_are_asked_when_they_are_wanted_and_kept_when_not(tmp_path: Path, asked: Asked) -> None:
    lines = [small(0, split="a"), small(1, split="b"), small(2, split="val")]
    file = write(tmp_path / "in.jsonl", lines)
    first = sweep(file, "--alpha", "1", "--test-split", "a")
    assert Counter(row["split"] for row in first.rows) == {"a": 4, "val": 4}
    asked.clear()
    other = sweep(file, "--alpha", "1", "--test-split", "b")
    assert Counter(row["split"] for row in other.rows) == {"b": 4, "val": 4} and len(asked) == 4
    both = sweep(file, "--alpha", "1")
    assert Counter(row["split"] for row in both.rows) == {"a": 4, "b": 4, "val": 4} and len(asked) == 4


def test_what_has_changed_is_asked_again_and_nothing_else(file: Path, asked: Asked) -> None:
    before = sweep(file, "--alpha", "1,2").rows
    lines = [small(0), small(11), small(12)]
    lines[0]["utterances"][0]["text"] += " Really."
    write(file, lines)
    asked.clear()
    after = sweep(file, "--alpha", "1,2")
    new = {question["id"] for line in (lines[0], lines[2]) for question in line["questions"]}
    assert {name for name, _ in asked} == new and asked.total() == len(new) * 3
    kept = [row for row in after.rows if row["question_id"] not in new]
    assert_same(kept, [row for row in before if row["question_id"] not in new])


def test_other_settings_are_refused_with_every_difference(file: Path) -> None:
    before = sweep(file, "--alpha", "1", "--limit", "3").rows
    again = sweep(file, "--alpha", "1", "--limit", "2", "--frames", "2", "--context", "past")
    assert_reported(again, 2, "holds a sweep with other settings", "frames: 1 there, 2 now", "limit: 3 there, 2 now")
    assert "context" in again.stderr and "--overwrite" in again.stderr
    assert again.rows == before
    more = sweep(file, "--alpha", "1", "--limit", "4")
    assert (more.code, manifest(more)["counts"]["kept"], len(more.rows)) == (0, 6, 8)
    assert sweep(file, "--alpha", "1", "--limit", "1", "--overwrite").code == 0


def test_failed_questions_are_kept_and_asked_again_when_wanted(file: Path, asked: Asked) -> None:
    slow = sweep(file, "--alpha", "1", "--max-failures", "100%", "--dtype", "float16")
    (slow.output / "inputs.json").unlink()
    table = pq.read_table(slow.output / "predictions.parquet")
    rows = table.to_pylist()
    rows[1] |= {"status": "failed", "error": "TimeoutError: slow", "scores": None}
    rows[1] |= {"prediction": None, "prediction_index": None}
    pq.write_table(type(table).from_pylist(rows, schema=table.schema), slow.output / "predictions.parquet")
    asked.clear()
    options = ("--alpha", "1", "--dtype", "float16")
    assert sweep(file, *options).code == 3 and not asked
    assert sweep(file, *options, "--retry-failed").code == 0
    assert asked == {(rows[1]["question_id"], 1.0): 1}
    assert_reported(sweep(file, *options, "--retry-failed", "--overwrite"), 2, "choose one")
    assert_reported(sweep(file, *options, "--retry-failed", output="none"), 2, "holds no sweep")


def test_answers_outlive_a_night_without_their_video(tmp_path: Path, asked: Asked) -> None:
    lines = [small(0), small(11)]
    file = write(tmp_path / "in.jsonl", lines)
    before = sweep(file, "--alpha", "1,2").rows
    lost = small(0, video={**lines[0]["video"], "path": "videos/nowhere.mp4"})
    write(file, [lost, lines[1]])
    night = sweep(file, "--alpha", "1,2")
    assert night.code == 3 and (night.output / "set_aside.parquet").exists()
    write(file, lines)
    asked.clear()
    after = sweep(file, "--alpha", "1,2")
    assert after.rows == before and not asked
    assert sorted(path.name for path in after.output.iterdir()) == FILES


def broken_after(batches: int, file: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Run:
    """A sweep that is interrupted when so many batches have been kept."""
    with interrupted_after(batches, monkeypatch):
        return sweep(file, *options)


def test_a_wider_grid_can_be_interrupted_and_resumed(file: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sweep(file, "--alpha", "1").code == 0
    asked.clear()
    broken = broken_after(1, file, monkeypatch, "--alpha", "1,2,4")
    assert (broken.code, manifest(broken)["outcome"]) == (130, "interrupted")
    assert sorted(path.name for path in broken.output.glob("parts/*")) == ["000001.parquet"]
    again = sweep(file, "--alpha", "1,2,4")
    assert again.code == 0 and set(asked.values()) == {1} and {alpha for _, alpha in asked} == {2, 4}
    assert_same(again.rows, sweep(file, "--alpha", "1,2,4", output="anew").rows)
    assert sorted(path.name for path in again.output.iterdir()) == FILES


def test_a_damaged_part_is_reported_and_asked_again(file: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = broken_after(1, file, monkeypatch, "--alpha", "1,2")
    (part,) = broken.output.glob("parts/*")
    part.write_bytes(part.read_bytes()[:-100])
    asked.clear()
    again = sweep(file, "--alpha", "1,2")
    assert "000001.parquet: cannot be read, so its answers are computed again" in again.stderr
    assert again.code == 0 and asked.total() == len(again.rows) == 12


def test_a_damaged_manifest_is_reported(file: Path) -> None:
    done = sweep(file, "--alpha", "1")
    (done.output / "sweep.json").write_text("{", encoding="utf-8")
    assert_reported(sweep(file, "--alpha", "1"), 4, "sweep.json", "the manifest of a sweep", "--overwrite")


def test_two_at_once_and_a_full_disk(file: Path, asked: Asked) -> None:
    folder = file.parent / "out"
    folder.mkdir()
    with locked(folder):
        assert_reported(sweep(file, "--alpha", "1"), 5, "in use by process")
    with disk_of(6000):
        full = sweep(file, "--alpha", "1")
    assert_reported(full, 1, "000001.parquet")
    assert manifest(full)["outcome"] == "error"
    done = sweep(file, "--alpha", "1")
    assert done.code == 0 and sorted(path.name for path in done.output.iterdir()) == [
        name for name in FILES if name != "alpha.png"
    ]


@pytest.mark.parametrize(("first", "alphas"), [("on", {None}), ("off", {3.0})])
def test_the_second_condition_of_a_run_is_asked_alone(first: str, alphas: set[Any], file: Path, asked: Asked) -> None:
    options = ("--frames", "1", "--media-root", str(SAMPLE), "--alpha", "3" if first == "on" else "1")
    before = run(file, file.parent / "run", *options, "--alignment", first, tasks=["all"]).rows
    asked.clear()
    options = (*options[:-1], "3")  # of unaligned answers the strength does not matter
    both = run(file, file.parent / "run", *options, "--alignment", "both", tasks=["all"]).validated()
    assert both.code == 0, both.stderr
    assert asked.total() == 4 and {alpha for _, alpha in asked} == alphas
    assert (both.manifest["counts"]["kept"], len(both.rows)) == (4, 8)
    assert [row for row in both.rows if row["alignment"] is (first == "on")] == before
    anew = run(file, file.parent / "anew", *options, "--alignment", "both", tasks=["all"])
    assert_same(both.rows, anew.rows, 1e-5)
    back = run(file, file.parent / "run", *options, "--alignment", first, tasks=["all"])
    assert_reported(back, 2, f'alignment: "both" there, "{first}" now')
