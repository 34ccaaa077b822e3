from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socialcli.errors import NotFoundError
from socialcli.plugins.registry import registry
from socialcli.results.columns import as_record
from socialcli.results.predictions import Prediction
from socialcli.stats.gold import GoldLabel, GoldLabels, Relabelling

from ..episodes.samples import record, write_lines
from ..results.samples import failed, plain


def labels(folder: Path, *lines: object) -> GoldLabels:
    path = write_lines(folder / "answers.jsonl", lines or [record()])
    return GoldLabels.read(path, {name: task.item for name, task in registry().tasks().items()})


def row(name: str, candidates: tuple[str, ...], chosen: str, **changes: Any) -> Prediction:
    values = {"question_id": f"e1/{name}", "task": name, "candidates": candidates, "scores": None}
    return plain(**values | {"prediction": chosen, "answer": "an old one"} | changes)


def relabelled(found: GoldLabels, *rows: Prediction) -> tuple[list[tuple[Any, Any]], list[str]]:
    relabelling = Relabelling(found)
    done = [(one["answer"], one["correct"]) for one in relabelling.rows(map(as_record, rows))]
    return done, relabelling.warnings()


def test_candidates_are_read_or_derived_by_the_task(tmp_path: Path) -> None:
    assert labels(tmp_path).by_question == {
        ("e1/target", "target"): GoldLabel("s2", ("s2", "s3"), 0),  # all but the one who speaks
        ("e1/coref", "coref"): GoldLabel("s1", ("s1", "s2", "s3"), 0),
        ("e1/mentioned", "mentioned"): GoldLabel("s1", ("s1", "s2", "s3"), 0),
        ("e1/videoqa", "videoqa"): GoldLabel("in a café", ("at home", "in a café"), 1),
        ("e1/other", "somebody-elses-task"): GoldLabel(None, None),
    }


def test_answers_come_from_the_file_and_correct_follows(tmp_path: Path) -> None:
    done, warnings = relabelled(
        labels(tmp_path),
        row("target", ("s3", "s2"), "s2"),
        row("coref", ("s1", "s2", "s3"), "s3"),
        row("videoqa", ("at home", "in a café"), "in a café", answer=None),
    )
    assert done == [("s2", True), ("s1", False), ("in a café", True)]
    assert warnings == []


def test_a_failed_row_stays_wrong_whatever_its_candidates(tmp_path: Path) -> None:
    done, warnings = relabelled(labels(tmp_path), failed(question_id="e1/target", task="target", answer=None))
    assert (done, warnings) == ([("s2", False)], [])


def test_rows_without_a_fitting_label_are_unlabelled_and_counted(tmp_path: Path) -> None:
    done, (warning,) = relabelled(
        labels(tmp_path),
        row("target", ("s1", "s2"), "s2"),
        row("target", ("s2",), "s2", alignment=False),
        row("coref", ("s1", "s2", "s3"), "s1", question_id="e9/coref"),
        row("mentioned", ("s1", "s2", "s3"), "s1", question_id="e1/coref"),  # of another task under this id
        row("coref", ("s1", "s2", "s3"), "s1", question_id="e8/coref"),
        row("videoqa", ("at home", "in a café"), "at home"),
    )
    assert done == [(None, None)] * 5 + [("in a café", False)]
    assert "answers.jsonl: 5 of 6 rows count as unlabelled" in warning
    assert "3 are of questions missing from it ('e9/coref' first)" in warning
    assert "2 are of questions with other candidates in it ('e1/target' first)" in warning


def test_a_question_that_the_file_leaves_open_is_unlabelled_without_a_warning(tmp_path: Path) -> None:
    open_ = record()
    del open_["questions"][0]["answer"]
    assert relabelled(labels(tmp_path, open_), row("target", ("s2", "s3"), "s2")) == ([(None, None)], [])


def test_a_task_that_nobody_provides_is_held_against_the_rows_candidates() -> None:
    label = GoldLabel("s2", None)
    assert label.fits(("s1", "s2")) and not label.fits(("s1", "s3")) and GoldLabel(None, None).fits(("s1",))


def test_what_the_file_gets_wrong_is_not_there(tmp_path: Path) -> None:
    bad = record()
    bad["questions"][0]["answer"] = "nobody"
    found = labels(tmp_path, bad, "no JSON", record())  # the last repeats all ids
    assert ("e1/target", "target") not in found.by_question
    assert ("e1/coref", "coref") in found.by_question
    (warning,) = found.warnings()
    assert "answers.jsonl: has" in warning and "socialcli validate" in warning
    assert labels(tmp_path).warnings() == []


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        GoldLabels.read(tmp_path / "gone.jsonl", {})
