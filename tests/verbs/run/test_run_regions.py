"""`run --regions`: the rows of each source of regions."""

from __future__ import annotations

from pathlib import Path

import pytest

from ...conftest import SAMPLE
from ..runs import SAMPLE_FILE, Run, assert_reported, run, small, write

FEW = ("--limit", "3", "--frames", "2")


def with_regions(folder: Path, *options: str, episodes: Path = SAMPLE_FILE) -> Run:
    done = run(episodes, folder, *FEW, *options, tasks=("target",)).validated()
    assert done.code == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return with_regions(tmp_path_factory.mktemp("usual") / "out", "--alignment", "both")


def test_each_source_has_scores_keys_and_columns_of_its_own(tmp_path: Path, usual: Run) -> None:
    half, most, people, none = (
        with_regions(tmp_path / name, *options)
        for name, options in {
            "half": ("--regions", "model"),
            "most": ("--regions", "model", "--region-share", "0.9"),
            "people": ("--regions", "people"),
            "none": ("--regions", "none"),
        }.items()
    )
    plain, boxes = usual.by_id(alignment=False), usual.by_id()
    for id, row in boxes.items():
        rows = [row, *(done.by_id()[id] for done in (half, most, people, none))]
        assert [one["regions"] for one in rows] == ["boxes", "model", "model", "people", "none"]
        assert [one["region_share"] for one in rows] == [None, 0.5, 0.9, None, None]
        assert len({one["key"] for one in rows}) == 5
        assert len({str(one["scores"]) for one in rows}) == 5
        assert rows[-1]["scores"] == plain[id]["scores"]
        assert rows[1]["box_tokens"] < rows[2]["box_tokens"]
        assert rows[3]["box_tokens"] == row["box_tokens"]  # everybody's boxes, once
        assert rows[1]["covered_utterances"] == row["utterances"]
        assert rows[-1]["box_tokens"] == rows[-1]["covered_utterances"] == 0
        assert plain[id]["regions"] is None
    assert "--region-share" not in half.stderr


def test_the_default_changes_no_key_and_no_score(tmp_path: Path, usual: Run) -> None:
    named = with_regions(tmp_path / "named", "--regions", "boxes", "--alignment", "both", "--region-share", "0.9")
    figures = [(row["key"], row["scores"], row["regions"], row["region_share"]) for row in named.rows]
    assert figures == [(row["key"], row["scores"], row["regions"], row["region_share"]) for row in usual.rows]
    assert "--region-share changes nothing with --regions boxes" in named.stderr


def test_the_rows_are_the_same_whatever_the_batch_size(tmp_path: Path) -> None:
    one, all_ = (with_regions(tmp_path / size, "--regions", "model", "--batch-size", size) for size in ("1", "3"))
    for row, other in zip(one.rows, all_.rows, strict=True):
        assert row["key"] == other["key"]
        assert row["scores"] == pytest.approx(other["scores"], abs=1e-5)
        for name in ("box_tokens", "active_head_count", "prediction", "covered_utterances"):
            assert row[name] == other[name]


def test_a_recording_without_boxes_is_aligned_by_the_model(tmp_path: Path) -> None:
    episodes = write(tmp_path / "episodes.jsonl", [small(0, boxes=[])])
    options = ("--media-root", str(SAMPLE), "--frames", "2", "--regions", "model")
    done = run(episodes, tmp_path / "out", *options, tasks=("all",)).validated()
    assert done.code == 0, done.stderr
    assert "nothing can be aligned" not in done.stderr
    assert all(row["active_head_count"] and row["covered_utterances"] for row in done.rows)
    none_found = run(episodes, tmp_path / "none", *options, "--lambda", "0.9", tasks=("all",))
    assert none_found.code == 0
    assert any("no active head" in warning for warning in none_found.manifest["warnings"])


def test_a_source_that_nobody_has_is_a_usage_error(tmp_path: Path) -> None:
    assert_reported(run(SAMPLE_FILE, tmp_path / "out", *FEW, "--regions", "face"), 2, "--regions", "face")
    assert_reported(run(SAMPLE_FILE, tmp_path / "out", *FEW, "--region-share", "0"), 2, "--region-share")
