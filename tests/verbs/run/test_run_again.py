"""`socialcli run`, run again: it resumes, does nothing, or computes anew what has changed, and only that."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from socialcli.inference import answers
from socialcli.inference.answers import answer_batch
from socialcli.inference.clip import ClipQuestion
from socialcli.jobs.answer import Answerer
from socialcli.jobs.job import Job
from socialcli.models.contract import Adapter
from socialcli.results.predictions import PREDICTION_ARROW_SCHEMA

from ...conftest import SAMPLE
from ..again import FEW, FILES, ask, assert_same, changed
from ..runs import (
    FAMILY,
    Record,
    Run,
    assert_reported,
    command,
    interrupted_after,
    record,
    run,
    shell_environment,
    write,
)


def killed(run: Run, *rows: int) -> list[Path]:
    """Make of a finished folder what a killed run leaves, its first parts with so many rows each; the parts."""
    table = pq.read_table(run.output / "predictions.parquet")
    parts = run.output / "parts"
    parts.mkdir()
    starts = [sum(rows[:index]) for index in range(len(rows))]
    for number, (start, count) in enumerate(zip(starts, rows, strict=True), 1):
        pq.write_table(table.slice(start, count), parts / f"{number:06}.parquet")
    for name in ("predictions.parquet", "accuracy.parquet", "inputs.json"):
        (run.output / name).unlink()
    (run.output / "run.json").write_text(json.dumps(run.manifest | {"outcome": "running"}), encoding="utf-8")
    return sorted(parts.iterdir())


def test_a_finished_folder_is_left_as_it_is_without_a_model(episodes: Path) -> None:
    first = ask(episodes).validated()
    before = {path.name: path.stat().st_mtime_ns for path in first.output.iterdir()}
    assert sorted(before) == FILES
    words = ["run", str(episodes), "--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY)]
    words += ["--task", "all", "-o", str(first.output), *FEW, "--json"]
    program = (
        "import json, sys\n"
        "from socialcli.cli import main\n"
        "try:\n"
        "    main(json.loads(sys.argv[1]))\n"
        "finally:\n"
        "    slow = {'torch', 'transformers', 'scipy', 'jsonschema', 'pyarrow.compute', 'pyarrow.dataset'}\n"
        "    print(sorted(slow & sys.modules.keys()), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(words)],
        env=shell_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and done.stderr.splitlines()[-1] == "[]", done.stderr
    assert "nothing to do" in done.stderr
    assert json.loads(done.stdout)["accuracy"] == first.accuracy
    assert before == {path.name: path.stat().st_mtime_ns for path in first.output.iterdir()}


def test_a_table_of_an_earlier_version_is_written_again_and_nothing_asked(episodes: Path) -> None:
    first = ask(episodes)
    table = first.output / "accuracy.parquet"
    pq.write_table(pq.read_table(table).drop_columns(["episodes", "single_candidate"]), table)
    again = ask(episodes)
    assert again.code == 0 and again.manifest["counts"]["kept"] == len(first.rows)
    assert again.accuracy == first.accuracy and again.stdout == first.stdout


def test_an_unfinished_folder_is_resumed(episodes: Path) -> None:
    whole = ask(episodes).rows
    shutil.rmtree(episodes.parent / "out")
    few = ask(episodes, "--limit", "2").rows  # of each task
    assert 0 < len(few) < len(whole)
    more = ask(episodes).validated()
    assert (more.manifest["counts"]["kept"], more.manifest["counts"]["rows"]) == (len(few), len(whole))
    assert_same(more.rows, whole, 1e-5)  # some questions went through the model with others
    assert sorted(path.name for path in more.output.iterdir()) == FILES


def test_other_versions_than_those_that_made_the_answers_are_reported(episodes: Path) -> None:
    first = ask(episodes, "--limit", "5")
    versions = first.manifest["versions"] | {"transformers": "4.0.1"}
    (first.output / "run.json").write_text(json.dumps(first.manifest | {"versions": versions}), encoding="utf-8")
    told = "answers in the folder were made with transformers 4.0.1, and "
    there = len(first.rows)
    more = ask(episodes, "--limit", "6").validated()
    assert f"socialcli: warning: {told}" in more.stderr
    assert more.manifest["counts"]["kept"] == there
    again = ask(episodes)
    assert [[one.startswith(told) for one in run.manifest["warnings"]] for run in (more, again)] == [[True], [True]]
    anew = ask(episodes, "--overwrite")
    assert told not in anew.stderr and anew.manifest["warnings"] == []


def test_parts_of_a_killed_run_are_kept_and_nothing_is_left_over(episodes: Path) -> None:
    done = ask(episodes)
    rows = done.rows
    parts = killed(done, 3, 4)
    (parts[0].parent / ".000003.parquet.0123abcd.tmp").write_bytes(b"half of it")
    (done.output / ".predictions.parquet.0123abcd.tmp").write_bytes(b"half of it")
    again = ask(episodes).validated()
    assert again.manifest["counts"]["kept"] == 7
    assert_same(again.rows, rows, 1e-5)  # cut by hand, a part holds some questions alone that were asked with others
    assert [row["seconds"] for row in again.rows][:7] == [row["seconds"] for row in rows][:7]
    assert sorted(path.name for path in again.output.iterdir()) == FILES


@pytest.mark.parametrize("batches", [1, 2, 4])
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--batch-size", "2"),
        ("--batch-size", "2", "--context", "past"),  # each transcript is another one
        ("--batch-size", "3", "--alignment", "both"),
    ],
)
def test_a_run_interrupted_between_two_batches_asks_the_rest_in_the_same_ones(
    episodes: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], batches: int
) -> None:
    first = record(0)
    write(episodes, [{**first, "questions": first["questions"][:1]}, record(1), record(2)])
    together: list[list[str]] = []

    def noted(adapter: Adapter, questions: Sequence[ClipQuestion], *others: Any) -> Any:
        together.append([one.question.id for one in questions])
        return answer_batch(adapter, questions, *others)

    monkeypatch.setattr(answers, "answer_batch", noted)
    whole = ask(episodes, *options).rows
    expected = together.copy()
    together.clear()
    shutil.rmtree(episodes.parent / "out")
    with interrupted_after(batches, monkeypatch):
        broken = ask(episodes, *options)
    assert (broken.code, broken.manifest["outcome"]) == (130, "interrupted")
    kept = [row for part in broken.output.glob("parts/*") for row in pq.read_table(part).to_pylist()]
    assert 0 < len(kept) < len(whole)
    again = ask(episodes, *options).validated()
    assert again.manifest["counts"]["kept"] == len(kept)
    assert together == expected
    assert_same(again.rows, whole)


def test_a_part_that_was_cut_short_is_reported_and_computed_again(episodes: Path) -> None:
    done = ask(episodes)
    rows = done.rows
    part = killed(done, 3, len(rows) - 3)[1]
    part.write_bytes(part.read_bytes()[:-100])
    again = ask(episodes)
    assert "000002.parquet: cannot be read, so its answers are computed again" in again.stderr
    assert again.manifest["counts"]["kept"] == 3
    assert_same(again.rows, rows, 1e-5)


def test_predictions_cut_short_by_hand_are_computed_again(episodes: Path) -> None:
    done = ask(episodes)
    rows, file = done.rows, done.output / "predictions.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    again = ask(episodes)
    assert "predictions.parquet: cannot be read" in again.stderr
    assert_same(again.rows, rows)


def other_words(episode: Record) -> None:
    episode["utterances"][0]["text"] += " Really."


def other_answer(episode: Record) -> None:
    question = next(one for one in episode["questions"] if one["task"] == "target")
    question["answer"] = next(one["id"] for one in episode["speakers"] if one["id"] != question["answer"])


@pytest.mark.parametrize("change", [other_words, other_answer])
def test_what_a_changed_annotation_decides_is_computed_again(episodes: Path, change: Any) -> None:
    before = ask(episodes, tasks=["target", "coref"]).rows
    changed(episodes, change)
    after = ask(episodes, tasks=["target", "coref"])
    theirs = [row["episode_id"] == record(1)["episode_id"] for row in before]
    keys = [(one["key"], other["key"]) for one, other in zip(before, after.rows, strict=True)]
    same = [one == other for one, other in keys]
    if change is other_words:
        assert same == [not is_theirs for is_theirs in theirs]
    else:
        assert same.count(False) == 1 and not same[theirs.index(True)]
    assert after.manifest["counts"]["kept"] == same.count(True)


def test_another_video_is_computed_again_and_a_touched_one_is_not(episodes: Path) -> None:
    before = ask(episodes).rows
    video = episodes.parent / record(1)["video"]["path"]
    video.touch()
    assert ask(episodes).manifest["counts"]["kept"] == len(before)
    shutil.copy(episodes.parent / record(0)["video"]["path"], video)
    after = ask(episodes, "--max-failures", "100%")
    others = [row for row in before if row["episode_id"] != record(1)["episode_id"]]
    assert after.manifest["counts"]["kept"] == len(others)
    assert_same([row for row in after.rows if row["episode_id"] != record(1)["episode_id"]], others)


def test_a_file_that_is_replaced_while_the_model_loads_is_asked_the_next_time(
    episodes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from socialcli.verbs.run import work

    whole = episodes.read_text(encoding="utf-8")
    write(episodes, [record(0)])
    load = work._load

    def slowly(job: Job) -> Answerer:
        episodes.with_name("new").write_text(whole, encoding="utf-8")
        episodes.with_name("new").replace(episodes)
        return load(job)

    with monkeypatch.context() as patch:
        patch.setattr(work, "_load", slowly)
        assert ask(episodes).code == 0
    assert {row["episode_id"] for row in ask(episodes).rows} == {record(index)["episode_id"] for index in range(3)}


def test_a_condition_that_failed_is_asked_again_and_the_other_one_is_kept(episodes: Path) -> None:
    done = ask(episodes, "--alignment", "both", tasks=["target"])
    table = pq.read_table(done.output / "predictions.parquet").to_pylist()
    table[0] |= {"status": "failed", "error": "TimeoutError: slow", "scores": None}
    table[0] |= {"prediction": None, "prediction_index": None}
    broken = pa.Table.from_pylist(table, schema=PREDICTION_ARROW_SCHEMA)
    pq.write_table(broken, done.output / "predictions.parquet")
    (done.output / "inputs.json").unlink()
    slow = ("--alignment", "both", "--retry-failed", "--timeout-per-question", "1e-9")
    late = ask(episodes, *slow, tasks=["target"])
    assert [row["status"] for row in late.rows].count("failed") == 1
    again = ask(episodes, "--alignment", "both", "--retry-failed", tasks=["target"])
    assert again.manifest["counts"]["kept"] == len(done.rows) - 1
    assert_same(again.rows, done.rows)


def test_rows_of_episodes_that_are_gone_leave(episodes: Path) -> None:
    before = ask(episodes).rows
    write(episodes, [record(2), record(0)])
    after = ask(episodes)
    assert after.manifest["counts"]["kept"] == after.manifest["counts"]["rows"] == len(after.rows)
    expected = [[row for row in before if row["episode_id"] == record(index)["episode_id"]] for index in (2, 0)]
    assert_same(after.rows, [*expected[0], *expected[1]])
    assert "answers of" in after.stderr and "still hold" in after.stderr


def test_another_checkpoint_is_computed_again(episodes: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(SAMPLE / "checkpoints" / FAMILY, weights)
    named = ("--checkpoint", str(weights))
    assert ask(episodes, *named).code == 0
    config = json.loads((weights / "config.json").read_text())
    (weights / "config.json").write_text(json.dumps(config, indent=3))
    assert ask(episodes, *named).manifest["counts"]["kept"] == 0


def test_other_settings_are_refused_with_every_difference(episodes: Path) -> None:
    before = ask(episodes, "--limit", "3").rows
    again = ask(episodes, "--limit", "2", "--alpha", "2", "--alignment", "off")
    assert_reported(
        again,
        2,
        'alignment: "on" there, "off" now',
        "alpha: 1.0 there, 2.0 now",
        "limit: 3 there, 2 now",
        "--overwrite",
    )
    assert again.rows == before
    replaced = ask(episodes, "--limit", "2", "--alpha", "2", "--overwrite")
    assert (replaced.code, {row["alpha"] for row in replaced.rows}) == (0, {2.0})


def test_the_same_settings_in_other_words_are_the_same(episodes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(episodes, tasks=["mentioned", "target"]).rows
    monkeypatch.chdir(episodes.parent)
    words = ["run", episodes.name, "--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY), *FEW]
    again = command(*words, "--task", "target", "--task", "mentioned", "-o", str(episodes.parent / "out"))
    assert again.code == 0, again.stderr
    assert again.rows == first


def test_the_checkpoints_folder_is_no_output_folder(episodes: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    shutil.copytree(SAMPLE / "checkpoints" / FAMILY, weights)
    (tmp_path / "link").symlink_to(weights)
    refused = run(episodes, tmp_path / "link", *FEW, "--checkpoint", str(weights))
    assert_reported(refused, 2, "is the folder of --checkpoint; name another one")


def test_settings_that_change_no_answer_are_not_held_against_a_folder(episodes: Path) -> None:
    first = ask(episodes).rows
    speed = ask(episodes, "--batch-size", "2", "--workers", "1", "--timeout-per-question", "100")
    assert "nothing to do" in speed.stderr
    other = ask(episodes, "--media-root", str(episodes.parent))
    assert other.code == 0 and other.manifest["counts"]["kept"] == len(first)
    assert other.rows == first


def test_a_damaged_manifest_is_reported(episodes: Path) -> None:
    ask(episodes, "--limit", "1")
    (episodes.parent / "out" / "run.json").write_text('{"settings"')
    assert_reported(
        ask(episodes, "--limit", "1"), 4, "run.json", "cannot be read as the manifest of a run", "--overwrite"
    )


def test_failed_questions_are_kept_and_asked_again_when_wanted(episodes: Path) -> None:
    video = episodes.parent / record(1)["video"]["path"]
    video.rename(video.with_suffix(".away"))
    first = ask(episodes)
    failed = [row["question_id"] for row in first.rows if row["status"] == "failed"]
    assert first.code == 3 and len(failed) == sum(one["episode_id"] == record(1)["episode_id"] for one in first.rows)
    again = ask(episodes)
    assert again.code == 3 and "nothing to do" in again.stderr
    video.with_suffix(".away").rename(video)
    retried = ask(episodes, "--retry-failed").validated()
    assert retried.code == 0 and {row["status"] for row in retried.rows} == {"ok"}
    assert retried.manifest["counts"]["kept"] == len(first.rows) - len(failed)
    assert_reported(ask(episodes, "--retry-failed", "--overwrite"), 2, "--retry-failed", "--overwrite", "choose one")
    shutil.rmtree(first.output)
    assert_reported(ask(episodes, "--retry-failed"), 2, "--retry-failed", "holds no run")
    assert not first.output.exists()


def test_too_many_failures_stop_a_run_that_names_a_limit(episodes: Path) -> None:
    changed(episodes, lambda episode: episode["video"].update(path="videos/none.mp4"))
    names = [item["id"] for index in range(3) for item in record(index)["questions"]]
    stopped = ask(episodes, "--max-failures", "1")
    assert_reported(stopped, 3, "stopped: 2 answers failed", "--max-failures 1")
    assert (stopped.manifest["outcome"], stopped.manifest["counts"]["failed"]) == ("stopped", 2)
    kept = [row["question_id"] for part in stopped.output.glob("parts/*") for row in pq.read_table(part).to_pylist()]
    assert set(kept) == set(names[: len(kept)]) and len(kept) < len(names)
    again = ask(episodes, "--max-failures", "1%", "--json")
    assert_reported(again, 3, "stopped: ")
    summary = json.loads(again.stdout)
    assert (summary["outcome"], summary["exit_code"], summary["accuracy"]) == ("stopped", 3, [])
    rest = ask(episodes)
    assert rest.code == 3 and [row["question_id"] for row in rest.rows] == names
    assert rest.manifest["counts"]["kept"] >= len(kept)


def test_a_folder_in_use_is_refused(episodes: Path) -> None:
    from socialcli.results.lock import locked

    folder = episodes.parent / "out"
    folder.mkdir()
    with locked(folder):
        assert_reported(ask(episodes), 5, "in use by process", "on", "since")
    assert ask(episodes, "--limit", "1").code == 0


def test_no_question_at_all(episodes: Path) -> None:
    done = ask(episodes, "--limit", "0").validated()
    assert (done.code, done.rows, done.manifest["warnings"]) == (0, [], [])


def test_json_lines_tell_of_every_answer(episodes: Path) -> None:
    done = command(
        *("run", str(episodes), "--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY)),
        *("--task", "target", "--log-format", "json", *FEW, "-o", str(episodes.parent / "out")),
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"time", "level", "event", "episode", "question", "seconds"} <= line.keys() for line in lines)
    answers = [line for line in lines if line["event"] == "answer"]
    assert [line["question"] for line in answers] == [row["question_id"] for row in done.rows]
    assert all(line["seconds"] > 0 and line["level"] == "info" for line in answers)
