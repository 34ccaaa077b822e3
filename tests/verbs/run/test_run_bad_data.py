"""`socialcli run` on files that are no episodes files, and on bad episodes among good ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ...conftest import SAMPLE
from ...video.clips import cut, write_sound
from ..runs import FAMILY, Record, assert_reported, command, mentioned, question_ids, record, run, sample_records, write

Change = Callable[[Record], object]


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
        (truncated_parquet, 4, "is damaged or not a complete Parquet file"),
        (other_columns, 4, "does not hold episodes"),
    ],
)
def test_what_is_no_episodes_file(tmp_path: Path, make: Callable[[Path], Path], code: int, message: str) -> None:
    file = make(tmp_path)
    done = run(file, tmp_path / "out")
    assert_reported(done, code, str(file), message)
    assert done.stdout == ""
    assert not done.output.exists()


def test_malformed_json_costs_its_own_line(media: Path) -> None:
    file = write(media / "episodes.jsonl", [record(0), record(1), '{"schema_version": "1.0", ', record(2)])
    done = run(file, media / "out", "--frames", "1").validated()
    assert_reported(done, 3, "socialcli: error: 1 row of the episodes file could not be read", "'problems' of run.json")
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
    assert_reported(done, 4, "no row of the file is an episode", "episodes.jsonl:1:")
    assert not done.output.exists()


def set_video(path: str) -> Change:
    return lambda episode: episode["video"].update(path=path)


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
    assert_reported(
        done, 3, f"{2 * len(bad)} of 8 answers failed", "'error' of predictions.parquet", "--max-failures 0"
    )
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
    assert_reported(done, 3, f"1 of {len(done.rows)} answers failed")
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


def test_a_run_that_leaves_some_out_says_so(media: Path) -> None:
    episode = record()
    episode["questions"] = [mentioned(episode), {"id": "other", "task": "somebody-elses", "text": "Why?"}]
    file = write(media / "episodes.jsonl", [episode])
    done = run(file, media / "out", "--frames", "1", tasks=["all"]).validated()
    message = "questions of tasks that no plug-in provides were skipped: somebody-elses 1"
    assert done.code == 0
    assert f"socialcli: warning: {message}" in done.stderr.splitlines()
    assert done.manifest["warnings"] == [message]
    assert len(done.rows) == 1


@pytest.mark.parametrize("name", ["run", "plan", "measure", "sweep", "train"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "coref"], "the file has no question of coref; it has: mentioned 1, somebody-elses 1"),
        (["--task", "mentioned", "--split", "tran"], "no episode is of the split 'tran'; the file has: test 1"),
        (["--task", "mentioned", "--split", "トレーニング"], "no episode is of the split 'トレーニング'"),
    ],
)
def test_a_selection_of_nothing_is_reported_and_binds_no_folder(
    media: Path, name: str, options: list[str], message: str
) -> None:
    if "--split" in options and name in ("sweep", "train"):  # they have no such option
        return
    episode = record()
    episode["questions"] = [mentioned(episode), {"id": "other", "task": "somebody-elses", "text": "Why?"}]
    file = write(media / "episodes.jsonl", [episode])
    model = ["--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY)]
    output = [] if name == "plan" else ["-o", str(media / "out")]
    refused = command(name, str(file), *model, *options, *output)
    assert_reported(refused, 2, "episodes.jsonl", message)
    assert not (media / "out").exists()
    if name == "run":
        assert run(file, media / "out", "--frames", "1", "--split", "test").code == 0


def test_a_limit_of_zero_asks_nothing_on_purpose_but_names_are_checked(media: Path) -> None:
    file = write(media / "episodes.jsonl", [record()])
    assert run(file, media / "out", "--limit", "0").code == 0
    assert_reported(run(file, media / "none", "--limit", "0", "--split", "tets"), 2, "no episode is of the split")


def test_alignment_without_a_box_is_a_warning(media: Path) -> None:
    episode = record()
    episode["boxes"] = []
    done = run(write(media / "episodes.jsonl", [episode]), media / "out", "--frames", "1", "--limit", "1")
    assert done.code == 0
    (warning,) = done.manifest["warnings"]
    assert (
        warning.startswith("nothing can be aligned: 0 of ")
        and "there are no boxes; add boxes that say where people are" in warning
    )
    assert done.stderr.count(warning) == 1
