"""`run --steer`: the rows of a steering mode."""

from __future__ import annotations

from pathlib import Path

from ..runs import SAMPLE_FILE, Run, run

FEW = ("--alignment", "on", "--task", "target", "--limit", "3", "--frames", "2", "--lambda", "0")


def steered(folder: Path, *options: str) -> Run:
    done = run(SAMPLE_FILE, folder, *FEW, *options).validated()
    assert done.code == 0
    assert {row["alignment"] for row in done.rows} == {True}
    return done


def test_each_mode_has_scores_keys_and_columns_of_its_own(tmp_path: Path) -> None:
    runs = {
        "speaker": steered(tmp_path / "speaker"),
        "quarter": steered(tmp_path / "quarter", "--steer", "both-ways", "--balance", "0.25"),
        "half": steered(tmp_path / "half", "--steer", "both-ways"),
        "gaze": steered(tmp_path / "gaze", "--steer", "gaze"),
    }
    asked = [[row for row in done.rows if row["task"] == "target"] for done in runs.values()]
    assert len(asked[0]) == 3
    for rows in zip(*asked, strict=True):
        speaker, quarter, half, gaze = rows
        assert len({row["key"] for row in rows}) == len({str(row["scores"]) for row in rows}) == len(rows)
        assert [row["steer"] for row in rows] == ["speaker", "both-ways", "both-ways", "gaze"]
        assert [row["balance"] for row in rows] == [None, 0.25, 0.5, None]
        assert quarter["aligned_text_tokens"] == half["aligned_text_tokens"] > speaker["aligned_text_tokens"] > 1
        assert gaze["aligned_text_tokens"] == 1
        for what in ("box_tokens", "covered_utterances", "visual_tokens", "prompt_tokens"):
            assert len({row[what] for row in rows}) == 1


def test_a_balance_changes_no_key_of_a_mode_without_one(tmp_path: Path) -> None:
    usual, other = steered(tmp_path / "usual"), steered(tmp_path / "other", "--balance", "0.9")
    assert [row["key"] for row in usual.rows] == [row["key"] for row in other.rows]


def test_a_mode_that_nobody_has_suggests_one(tmp_path: Path) -> None:
    wrong = run(SAMPLE_FILE, tmp_path / "out", *FEW, "--steer", "both-way")
    assert wrong.code == 2
    assert "both-ways" in wrong.stderr
