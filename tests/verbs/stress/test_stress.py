"""`socialcli stress` on the sample, with a tiny checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ...conftest import SAMPLE
from ...results.samples import validator
from ..runs import FAMILY, Record, Row, Run, command, record, run, write

OPTIONS = ("--frames", "2", "--media-root", str(SAMPLE))
KINDS = ("--kind", "one-box=0.5,1", "--kind", "no-boxes=1", "--kind", "missing-labels=1")
CONDITIONS = 6  # plain, level 0, and these


def stress(episodes: Path, output: Path, *options: str) -> Run:
    model = ["--model", FAMILY, "--checkpoint", str(SAMPLE / "checkpoints" / FAMILY)]
    return command("stress", str(episodes), *model, "--task", "all", "-o", str(output), *OPTIONS, *options)


def manifest_of(done: Run) -> Record:
    found: Record = json.loads((done.output / "stress.json").read_text(encoding="utf-8"))
    return found


def kept(done: Run) -> int:
    found: int = manifest_of(done)["counts"]["kept"]
    return found


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = [{**record(index), "questions": record(index)["questions"][:3]} for index in (0, 1)]
    return write(tmp_path_factory.mktemp("stress") / "episodes.jsonl", lines)


@pytest.fixture(scope="module")
def done(episodes: Path) -> Run:
    found = stress(episodes, episodes.parent / "done", *KINDS)
    assert found.code == 0, found.stderr
    return found


def by_error(done: Run) -> dict[tuple[str | None, float | None], dict[str, Row]]:
    """The aligned rows by error and question."""
    found: dict[tuple[str | None, float | None], dict[str, Row]] = {}
    for row in done.rows:
        if row["alignment"]:
            found.setdefault((row["perturbation"], row["level"]), {})[row["question_id"]] = row
    return found


def test_every_question_has_a_row_under_every_condition(done: Run) -> None:
    assert len(done.rows) == 6 * CONDITIONS
    assert list(by_error(done)) == [
        (None, None),
        ("one-box", 0.5),
        ("one-box", 1.0),
        ("missing-labels", 1.0),
        ("no-boxes", 1.0),
    ]
    assert {row["perturbation_seed"] for row in done.rows if row["perturbation"]} == {0}
    assert len({row["key"] for row in done.rows}) == len(done.rows)
    for row in done.rows:
        validator("prediction").validate(row)


def test_level_0_and_the_plain_model_equal_a_run_row_by_row(done: Run, episodes: Path) -> None:
    plain = run(episodes, episodes.parent / "run", *OPTIONS, "--alignment", "both", tasks=("all",))
    mine = [row for row in done.rows if row["perturbation"] is None]
    assert len(plain.rows) == len(mine) == 12
    for ours, theirs in zip(mine, plain.rows, strict=True):
        assert {**ours, "seconds": None} == {**theirs, "seconds": None}


def test_errors_change_scores_and_nothing_to_align_is_the_plain_model(done: Run) -> None:
    rows, plain = by_error(done), done.by_id(alignment=False)
    exact = rows[None, None]
    assert any(row["scores"] != exact[id]["scores"] for id, row in rows["one-box", 1.0].items())
    for error in (("no-boxes", 1.0), ("missing-labels", 1.0)):
        for id, row in rows[error].items():
            assert row["scores"] == pytest.approx(plain[id]["scores"], abs=1e-5)
            assert row["active_heads"] == 0


def test_errors_leave_the_prompt_alone(done: Run) -> None:
    for rows in by_error(done).values():
        for id, row in rows.items():
            same = ("prompt_tokens", "visual_tokens", "candidates", "frame_times", "answer")
            assert [row[name] for name in same] == [done.by_id(alignment=False)[id][name] for name in same]


def test_tables_pictures_and_summary(done: Run) -> None:
    rows = pq.read_table(done.output / "stress.parquet").to_pylist()
    levels = {(row["perturbation"], row["level"]) for row in rows}
    assert levels == {
        *(("one-box", level) for level in (0, 0.5, 1)),
        *((kind, level) for kind in ("missing-labels", "no-boxes") for level in (0, 1)),
    }
    manifest = manifest_of(done)
    assert manifest["outcome"] == "done" and manifest["seed"] == 0
    assert [one["kind"] for one in manifest["limits"]] == ["one-box", "missing-labels", "no-boxes"]
    for name in ("one-box", "missing-labels", "no-boxes"):
        assert (done.output / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"\n{name} (share of the " in done.stdout
    assert {row["perturbation"] for row in done.accuracy} == {None, "one-box", "missing-labels", "no-boxes"}


def test_the_same_command_has_nothing_to_do_and_prints_the_same(done: Run, episodes: Path) -> None:
    again = stress(episodes, done.output, *KINDS)
    assert again.code == 0 and "nothing to do: the stress test in" in again.stderr
    assert again.stdout == done.stdout


def test_other_levels_are_asked_and_the_former_ones_come_back(episodes: Path, tmp_path: Path) -> None:
    assert stress(episodes, tmp_path, "--kind", "one-box=1").code == 0
    more = stress(episodes, tmp_path, "--kind", "one-box=0.5,1")
    assert kept(more) == 3 * 6
    fewer = stress(episodes, tmp_path, "--kind", "one-box=0.5")
    assert kept(fewer) == 3 * 6 and {row["level"] for row in fewer.rows} == {None, 0.5}
    back = stress(episodes, tmp_path, "--kind", "one-box=1", "--json")
    assert kept(back) == 3 * 6
    assert {row["level"] for row in json.loads(back.stdout)["stress"]} == {0, 1}
    other_seed = stress(episodes, tmp_path, "--kind", "one-box=1", "--seed", "1")
    assert kept(other_seed) == 2 * 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--inputs", "L"), "--inputs L leaves the video out"),
        (("--alpha", "0"), "--alpha 0 is the plain model, which no annotation reaches"),
        (("--kind", "blur"), "there is no kind of annotation error 'blur'"),
        (("--kind", "no-boxes=2"), "no-boxes: a level is a number from 0 to 1"),
    ],
)
def test_usage_errors(episodes: Path, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    found = stress(episodes, tmp_path / "out", *options)
    assert found.code == 2 and message in found.stderr
    assert not (tmp_path / "out").exists()


def test_a_run_refuses_the_folder_of_a_stress_test(done: Run, episodes: Path) -> None:
    refused = run(episodes, done.output, *OPTIONS, tasks=("all",))
    assert refused.code == 2 and "holds other results" in refused.stderr


def test_failed_questions_are_rows_and_the_rest_is_asked(tmp_path: Path) -> None:
    lines = [{**record(index), "questions": record(index)["questions"][:2]} for index in (0, 1, 2)]
    lines[1]["video"] = {**lines[1]["video"], "path": "videos/missing.mp4"}
    broken = stress(write(tmp_path / "episodes.jsonl", lines), tmp_path / "out", "--kind", "no-boxes=1")
    assert broken.code == 3
    assert len(broken.rows) == 6 * 3
    assert sum(row["status"] == "failed" for row in broken.rows) == 2 * 3
    rows = pq.read_table(tmp_path / "out" / "stress.parquet").to_pylist()
    assert {row["failed"] for row in rows if row["task"] == rows[-1]["task"]} == {2}
    assert "6 of 18 answers failed and count as wrong" in broken.stdout
