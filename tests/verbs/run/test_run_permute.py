"""`run --permute`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ..runs import SAMPLE_FILE, Row, interrupted_after, record, run, write

FEW = ("--frames", "2", "--limit", "2", "--alignment", "both")
TASKS = ("videoqa", "target")


def of_order(rows: Sequence[Row], order: int | None) -> list[Row]:
    return [row for row in rows if row["order"] == order]


@pytest.mark.parametrize("batch", ["1", "auto"])
def test_the_first_order_is_a_run_without_the_option(tmp_path: Path, batch: str) -> None:
    options = (*FEW, "--batch-size", batch)
    plain = run(SAMPLE_FILE, tmp_path / "plain", *options, tasks=["all"]).validated()
    done = run(SAMPLE_FILE, tmp_path / "permuted", *options, "--permute", "4", tasks=["all"]).validated()
    first = of_order(done.rows, 0)
    assert [row["key"] for row in first] == [row["key"] for row in plain.rows]
    for one, other in zip(first, plain.rows, strict=True):
        assert one["candidates"] == other["candidates"]
        assert one["scores"] == other["scores"], "batches in the given order are the same with and without the option"
    assert {row["order"] for row in plain.rows} == {None}
    resumed = run(SAMPLE_FILE, tmp_path / "plain", *options, "--permute", "4", tasks=["all"])
    drop = {"seconds": None}
    assert [row | drop for row in resumed.rows] == [row | drop for row in done.rows]


def test_each_order_is_a_row_of_the_same_question(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", *FEW, "--permute", "4", tasks=TASKS).validated()
    counts, rows = done.manifest["counts"], done.rows
    assert counts["questions"] == 4 and counts["rows"] == counts["expected"] == len(rows)
    asked: dict[tuple[str, bool], list[Row]] = {}
    for row in rows:
        asked.setdefault((row["question_id"], row["alignment"]), []).append(row)
    short = 0
    for of_question in asked.values():
        orders = [row["order"] for row in of_question]
        count = len(of_question[0]["candidates"])
        assert orders == list(range({2: 2, 3: 4, 4: 4, 5: 4}[count]))
        short += len(orders) < 4
        assert len({tuple(row["candidates"]) for row in of_question}) == len(orders)
        assert all(row["candidates"][row["answer_index"]] == row["answer"] for row in of_question)
    assert any("orders" in warning for warning in done.manifest["warnings"]) is bool(short)
    assert len({row["key"] for row in rows}) == len(rows)


def test_a_run_without_orders_is_resumed_and_its_answers_are_reused(tmp_path: Path) -> None:
    assert run(SAMPLE_FILE, tmp_path / "out", *FEW).manifest["counts"]["rows"] == 4
    again = run(SAMPLE_FILE, tmp_path / "out", *FEW, "--permute", "2").validated()
    assert (again.code, again.manifest["counts"]["kept"]) == (0, 4)
    assert [row["order"] for row in again.rows] == [0, 0, 1, 1] * 2
    more = run(SAMPLE_FILE, tmp_path / "out", *FEW, "--permute", "3")
    assert more.manifest["counts"]["kept"] == 8
    for fewer in (("--permute", "2"), (), ("--permute", "3", "--permute-seed", "1")):
        refused = run(SAMPLE_FILE, tmp_path / "out", *FEW, *fewer)
        assert refused.code == 2 and "other settings (permute" in refused.stderr


def test_an_interrupted_run_goes_on_between_two_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = (*FEW, "--permute", "3", "--batch-size", "1")
    whole = run(SAMPLE_FILE, tmp_path / "whole", *options)
    with interrupted_after(2, monkeypatch):
        assert run(SAMPLE_FILE, tmp_path / "out", *options).code == 130
    resumed = run(SAMPLE_FILE, tmp_path / "out", *options)
    assert resumed.manifest["counts"]["kept"] == 4
    drop = {"seconds": None}
    assert [row | drop for row in resumed.rows] == [row | drop for row in whole.rows]


def test_failures_are_rows_of_every_order(tmp_path: Path) -> None:
    lost, bad = record(0), record(1)
    lost["video"]["path"] = "videos/none.mp4"
    bad["questions"][0]["answer"] = "nobody at all"
    lines = [{**one, "questions": one["questions"][:1]} for one in (lost, bad)]
    file = write(tmp_path / "episodes.jsonl", lines)
    done = run(file, tmp_path / "out", "--permute", "2", "--frames", "2", tasks=("all",)).validated()
    assert [(row["status"], row["order"]) for row in done.rows] == [("failed", 0), ("failed", 1)] * 2
    (accuracy,) = [row for row in done.accuracy if row["task"] in ("all", lines[0]["questions"][0]["task"])][-1:]
    assert accuracy["n"] == accuracy["failed"] and accuracy["circular_accuracy"] == 0.0


def test_asked_again_in_another_way_each_order_is_compared_with_itself(tmp_path: Path) -> None:
    done = run(SAMPLE_FILE, tmp_path / "out", *FEW, "--permute", "3", "--check-invariance", "1")
    for change in done.manifest["invariance"].values():
        assert change["answers"] == 6 and change["largest_score_change"] < 1e-4
        assert not change["changed_predictions"]


@pytest.mark.parametrize("value", ["1", "0", "many"])
def test_fewer_than_two_orders_are_refused(tmp_path: Path, value: str) -> None:
    refused = run(SAMPLE_FILE, tmp_path / "out", *FEW, "--permute", value)
    assert refused.code == 2 and "--permute" in refused.stderr
