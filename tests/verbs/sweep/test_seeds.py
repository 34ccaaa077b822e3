"""`socialcli sweep --seeds`: a sweep of each seed's checkpoint, and the spread over the seeds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from socialcli.jobs.grid import PLAIN, Setting
from socialcli.jobs.splits import Splits
from socialcli.verbs.sweep.choice import SweepTable
from socialcli.verbs.sweep.seeds.spread import SpreadRow, spread_table
from socialcli.verbs.sweep.seeds.summary import summary_lines
from socialcli.verbs.sweep.seeds.work import SeedsResult

from ...conftest import SAMPLE
from ..again import assert_same
from ..runs import FAMILY, Run, assert_reported, command, small, write
from .sweeps import answered, table_of

ALIGNED = Setting(1.0, 5e-5, "10-19", "published")
SPLITS = Splits("validation", ("test",))
RIGHT = {5: (2, 6), 6: (4, 6), 9: (3, 9)}  # by seed: of the plain and the aligned model, of 12 questions


def sweep_seeds(folder: Path, seeds: str, *options: str, checkpoint: str = "trained-{seed}") -> Run:
    """Sweep checkpoints beside the episodes in `folder`."""
    words = ["sweep", str(folder / "episodes.jsonl"), "--model", FAMILY, "--checkpoint", str(folder / checkpoint)]
    words += ["--task", "all", "--frames", "1", "--media-root", str(SAMPLE), "--alpha", "2"]
    return command(*words, "--seeds", seeds, "-o", str(folder / "out"), *options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Episodes of two splits, and the checkpoints of seeds 0 and 1, which are the same."""
    write(tmp_path / "episodes.jsonl", [small(0), small(11)])
    for seed in (0, 1):
        shutil.copytree(SAMPLE / "checkpoints" / FAMILY, tmp_path / f"trained-{seed}")
    return tmp_path


def text_of(rows: Sequence[SpreadRow]) -> list[str]:
    return summary_lines(SeedsResult({}, rows)).splitlines()


def swept(plain: int, aligned: int) -> tuple[SweepTable, Splits]:
    """The sweep of a seed, with these numbers of 12 questions right, and two more in the split test."""
    right = {PLAIN: plain, ALIGNED: aligned}
    rows = answered(
        lambda task, split, setting, question: question < right[setting] + 2 * (split == "test"),
        [PLAIN, ALIGNED],
        tasks=("coref", "target"),
    )
    return table_of(rows, [PLAIN, ALIGNED]), SPLITS


def test_the_spread_is_that_of_the_seeds_accuracies() -> None:
    rows = spread_table({seed: swept(*right) for seed, right in RIGHT.items()})
    assert [(row.task, row.split, row.setting) for row in rows] == [
        (task, split, setting)
        for split in ("validation", "test")
        for task in ("coref", "target", "all")
        for setting in (PLAIN, ALIGNED)
    ]
    plain, aligned = (row for row in rows if (row.task, row.split) == ("target", "validation"))
    assert (plain.gain, plain.gain_sd, plain.seeds) == (0, 0, 3)
    assert aligned.accuracy == pytest.approx(7 / 12)
    assert (aligned.accuracy_low, aligned.accuracy_high) == pytest.approx((6 / 12, 9 / 12))
    assert aligned.accuracy_sd == pytest.approx((3**0.5) / 12)  # of 6, 6, 9
    assert aligned.gain == pytest.approx(4 / 12)
    assert (aligned.gain_low, aligned.gain_high) == pytest.approx((2 / 12, 6 / 12))
    assert aligned.gain_sd == pytest.approx(2 / 12)  # of 4, 2, 6
    assert rows[-1].accuracy == pytest.approx(9 / 12)


def test_the_text_has_mean_deviation_and_range_of_accuracy_and_gain() -> None:
    rows = spread_table({seed: swept(*right) for seed, right in RIGHT.items()})
    plain, aligned = (line.split("  ") for line in text_of(rows) if line.startswith("target  validation"))
    assert [cell.strip() for cell in plain if cell][3:] == ["25.0%", "8.3", "16.7% to 33.3%", "-", "-", "-"]
    assert [cell.strip() for cell in aligned if cell][3:] == [
        *("58.3%", "14.4", "50.0% to 75.0%"),
        *("+33.3", "16.7", "+16.7 to +50.0"),
    ]


def test_each_seed_has_the_results_of_its_own_sweep(folder: Path) -> None:
    done = sweep_seeds(folder, "0,1", "--json")
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["seeds"] == {"0": "done", "1": "done"}
    tables = [pq.read_table(folder / "out" / f"seed-{seed}" / "accuracy.parquet") for seed in (0, 1)]
    same = [name for name in tables[0].column_names if name != "checkpoint"]
    assert tables[0].select(same).equals(tables[1].select(same))
    rows = pq.read_table(folder / "out" / "seeds.parquet").to_pylist()
    assert {row["seeds"] for row in rows} == {2}
    assert {row["accuracy_sd"] for row in rows} == {0.0}
    assert {row["alpha"] for row in rows} == {None, 2.0}
    assert (folder / "out" / "seeds.png").stat().st_size > 1000
    alone = command(
        *("sweep", str(folder / "episodes.jsonl"), "--model", FAMILY, "--checkpoint", str(folder / "trained-1")),
        *("--task", "all", "--frames", "1", "--media-root", str(SAMPLE), "--alpha", "2", "-o", str(folder / "alone")),
    )
    assert alone.code == 0
    assert_same(
        *(pq.read_table(place / "predictions.parquet").to_pylist() for place in (folder / "out/seed-1", alone.output))
    )


def test_a_further_seed_is_swept_beside_the_finished_ones(folder: Path) -> None:
    assert sweep_seeds(folder, "0,1").code == 0
    before = (folder / "out/seed-1/sweep.json").read_bytes()
    shutil.copytree(folder / "trained-0", folder / "trained-7")
    done = sweep_seeds(folder, "0,1,7")
    assert done.code == 0
    assert "over the seeds 0, 1, 7" in done.stdout
    assert (folder / "out/seed-1/sweep.json").read_bytes() == before


@pytest.mark.parametrize(
    ("seeds", "checkpoint", "parts"),
    [
        ("0", "trained-{seed}", ("--seeds 0", "two seeds or more")),
        ("0,0", "trained-{seed}", ("--seeds 0,0", "each once")),
        ("0,1", "trained-0", ("--seeds", "{seed}", "--checkpoint")),
        ("0,5", "trained-{seed}", ("trained-5", "no such folder")),
    ],
)
def test_seeds_that_cannot_be_swept_are_refused_before_any_work(
    seeds: str, checkpoint: str, parts: tuple[str, ...], folder: Path
) -> None:
    assert_reported(sweep_seeds(folder, seeds, checkpoint=checkpoint), 2, *parts)
    assert not (folder / "out").exists()


def test_a_folder_with_other_results_is_refused(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "run.json").write_text("{}", encoding="utf-8")
    assert_reported(sweep_seeds(folder, "0,1"), 2, "run.json", "name another folder")
