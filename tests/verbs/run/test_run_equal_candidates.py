"""Questions whose candidates are equal as text, from the episodes file to the tables: judged by place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ...conftest import SAMPLE
from ..runs import Run, command, record, run, write

SAME = ["茶", "茶", "茶"]
FEW = ("--frames", "2", "--media-root", str(SAMPLE))


def equal(*places: int, name: str = "q") -> dict[str, Any]:
    """An episode whose questions differ in the place of the right one of equal candidates."""
    episode = record(0)
    asked = {"task": "videoqa", "text": "何を飲む?", "candidates": SAME}
    episode["questions"] = [{"id": f"{name}{n}", **asked, "answer_index": place} for n, place in enumerate(places)]
    return episode


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = write(tmp_path_factory.mktemp("in") / "episodes.jsonl", [equal(0, 1, 2)])
    result = run(path, tmp_path_factory.mktemp("run") / "out", *FEW, "--alignment", "both", tasks=["videoqa"])
    assert result.code == 0, result.stderr
    return result.validated()


def test_one_of_three_equal_candidates_is_right(done: Run) -> None:
    for aligned in (False, True):
        rows = done.by_id(aligned)
        (chosen,) = {row["prediction_index"] for row in rows.values()}
        assert {name: row["correct"] for name, row in rows.items()} == {f"q{n}": n == chosen for n in range(3)}
        assert [row["answer_index"] for row in rows.values()] == [0, 1, 2]
        assert {(row["prediction"], row["answer"]) for row in rows.values()} == {("茶", "茶")}
        for row in rows.values():
            assert row["scores"][chosen] == max(row["scores"])
    for table in done.accuracy:
        assert (table["n"], table["correct"], table["chance"]) == (3, 1, pytest.approx(1 / 3))


def test_corrected_places_change_what_is_right(done: Run, tmp_path: Path) -> None:
    chosen = done.by_id(False)["q0"]["prediction_index"]
    path = write(tmp_path / "corrected.jsonl", [equal(chosen, chosen, (chosen + 1) % 3)])
    again = command("accuracy", str(done.output), "--answers", str(path), "--json")
    assert again.code == 0 and again.stderr == ""
    (one,) = json.loads(again.stdout)["folders"]
    plain = next(row for row in one["accuracy"] if not row["alignment"])
    assert (plain["n"], plain["correct"]) == (3, 2)


def test_the_same_command_again_asks_nothing(done: Run) -> None:
    source = Path(done.manifest["settings"]["episodes"])
    again = run(source, done.output, *FEW, "--alignment", "both", tasks=["videoqa"])
    assert again.code == 0 and "nothing to do" in again.stderr


def test_without_a_place_the_question_fails_and_says_why(tmp_path: Path) -> None:
    episode = equal(0, 1)
    del episode["questions"][0]["answer_index"]
    episode["questions"][0]["answer"] = "茶"
    path = write(tmp_path / "episodes.jsonl", [episode])
    result = run(path, tmp_path / "out", *FEW, "--max-failures", "1", tasks=["videoqa"]).validated()
    bad, good = result.rows
    assert (bad["status"], bad["answer"], bad["answer_index"], bad["correct"]) == ("failed", "茶", None, False)
    assert "equals each of the candidates 0, 1, 2, counted from 0; say which is right with answer_index" in bad["error"]
    assert good["status"] == "ok"


def test_a_written_answer_has_a_place_where_it_could_be_parsed(tmp_path: Path) -> None:
    path = write(tmp_path / "episodes.jsonl", [equal(0)])
    result = run(path, tmp_path / "out", *FEW, "--answer", "generate", tasks=["videoqa"]).validated()
    (row,) = result.rows
    assert row["answer_index"] == 0
    assert (row["prediction_index"] is None) is (row["status"] != "ok")
