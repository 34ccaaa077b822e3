"""Rows of questions with equal candidates are judged by place, in every table that judges them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from socialcli.errors import InvalidInputError
from socialcli.plugins.registry import registry
from socialcli.results.columns import as_record, from_record
from socialcli.results.invariance import Change
from socialcli.results.predictions import Prediction, read_predictions
from socialcli.stats.accuracy import accuracy_table
from socialcli.stats.gold import GoldLabels, Relabelling
from socialcli.stats.pairing import pair_up
from socialcli.stats.sources import Source
from socialcli.verbs.compare.conditions import Wanted, chosen_sides
from socialcli.verbs.compare.flips import write_flips
from socialcli.verbs.compare.work import compare

from ..episodes.samples import changed, write_lines
from ..results.folders import leave
from ..results.samples import plain, prediction

TEA = ("茶", "水", "茶")
VIDEOQA = 3


def row(chosen: int, right: int | None = 0, candidates: tuple[str, ...] = TEA, **changes: Any) -> Prediction:
    """A row that chose a candidate by its place."""
    make = prediction if changes.get("alignment") else plain
    places = {"prediction_index": chosen, "answer_index": right}
    texts = {"prediction": candidates[chosen], "answer": None if right is None else candidates[right]}
    question = {"question_id": "e1/videoqa", "task": "videoqa", "candidates": candidates, "scores": None}
    return make(**question | places | texts | changes)


def labels(folder: Path, **fields: Any) -> GoldLabels:
    path = write_lines(
        folder / "a.jsonl", [changed(lambda r: r["questions"][VIDEOQA].update({"answer": None} | fields))]
    )
    return GoldLabels.read(path, {name: task.item for name, task in registry().tasks().items()})


@pytest.mark.parametrize(
    ("chosen", "right", "correct"), [(0, 0, True), (2, 0, False), (0, 2, False), (1, 0, False), (0, None, None)]
)
def test_correct_is_a_matter_of_the_place(chosen: int, right: int | None, correct: bool | None) -> None:
    one = row(chosen, right)
    assert one.correct is correct
    record = as_record(one)
    assert (record["correct"], record["prediction_index"], record["answer_index"]) == (correct, chosen, right)
    assert from_record(Prediction, record) == one


def test_a_row_of_an_earlier_version_is_judged_by_text() -> None:
    assert [plain(prediction=chosen).correct for chosen in ("ann", "bob")] == [True, False]


@pytest.mark.parametrize(
    "changes", [{"prediction_index": 1}, {"answer_index": 1}, {"prediction_index": 7}, {"answer_index": 3}]
)
def test_a_place_that_is_not_that_of_the_text_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="_index is not the place"):
        row(2, 0, **changes)


def test_accuracy_counts_a_wrong_one_of_two_equal_texts_as_wrong() -> None:
    rows = [row(0, question_id="q1"), row(2, question_id="q2"), row(1, question_id="q3"), row(0, question_id="q4")]
    (table,) = accuracy_table(map(as_record, rows))
    assert (table.n, table.correct, table.chance) == (4, 2, pytest.approx(1 / 3))


def relabelled(found: GoldLabels, *rows: Prediction) -> tuple[list[tuple[Any, Any, Any]], list[str]]:
    relabelling = Relabelling(found)
    done = [(one["answer"], one["answer_index"], one["correct"]) for one in relabelling.rows(map(as_record, rows))]
    return done, relabelling.warnings()


def test_a_corrected_label_can_be_the_other_one_of_two_equal_candidates(tmp_path: Path) -> None:
    corrected = labels(tmp_path, candidates=list(TEA), answer_index=2)
    done, warnings = relabelled(corrected, row(0), row(2), row(1))
    assert done == [("茶", 2, False), ("茶", 2, True), ("茶", 2, False)]
    assert warnings == []


def test_a_label_of_equal_candidates_in_another_order_fits_only_where_its_text_tells(tmp_path: Path) -> None:
    moved = ("水", "茶", "茶")
    done, (warning,) = relabelled(labels(tmp_path, candidates=list(moved), answer="茶", answer_index=1), row(0), row(1))
    assert done == [(None, None, None)] * 2
    assert "2 of 2 rows count as unlabelled: 2 have several candidates equal to the answer, in another order" in warning
    done, warnings = relabelled(labels(tmp_path, candidates=list(moved), answer="水"), row(1), row(0))
    assert (done, warnings) == ([("水", 1, True), ("水", 1, False)], [])


def test_how_often_a_candidate_stands_there_tells_questions_apart(tmp_path: Path) -> None:
    done, (warning,) = relabelled(labels(tmp_path, candidates=["茶", "水"], answer="水"), row(1))
    assert done == [(None, None, None)] and "other candidates" in warning


def test_a_label_of_equal_candidates_judges_rows_of_earlier_versions_by_text(tmp_path: Path) -> None:
    old = plain(question_id="e1/videoqa", task="videoqa", candidates=("b", "a"), prediction="a", answer="b")
    done, _ = relabelled(labels(tmp_path, candidates=["a", "b"], answer_index=0), old)
    assert done == [("a", 1, True)]


def test_sides_with_another_one_of_equal_right_answers_are_not_compared() -> None:
    with pytest.raises(InvalidInputError, match="another gold answer"):
        pair_up([as_record(row(0, 0))], [as_record(row(0, 2))])
    with pytest.raises(InvalidInputError, match="other candidates"):
        pair_up([as_record(row(1, 1))], [as_record(row(1, 1, ("茶", "水", "水")))])
    (pair,) = pair_up([as_record(row(0, 0))], [as_record(row(2, 0))]).pairs
    assert (pair.a.correct, pair.b.correct) == (True, False)


def test_a_flip_between_equal_candidates_shows_both_places(tmp_path: Path) -> None:
    folder = leave(tmp_path, [row(2, episode_id="e1"), row(0, episode_id="e1", alignment=True)])
    comparisons = [compare(*sides) for sides in chosen_sides(Source.find(folder), None, Wanted(), Wanted())]
    write_flips(tmp_path / "flips.parquet", comparisons)
    (flip,) = pq.read_table(tmp_path / "flips.parquet").to_pylist()
    assert (flip["answer"], flip["prediction_a"], flip["prediction_b"], flip["direction"]) == (
        "茶",
        "茶",
        "茶",
        "gained",
    )
    assert (flip["answer_index"], flip["prediction_index_a"], flip["prediction_index_b"]) == (0, 2, 0)


def test_a_choice_that_moves_between_equal_candidates_has_changed() -> None:
    assert Change().with_answers([(row(0), row(2))]).changed_predictions == ("e1/videoqa",)
    assert Change().with_answers([(row(0), row(0)), (plain(), plain())]).changed_predictions == ()


def test_a_file_without_the_places_is_read(tmp_path: Path) -> None:
    path = leave(tmp_path, [plain()]) / "predictions.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["prediction_index", "answer_index"]), path)
    assert list(read_predictions(path)) == [as_record(plain())]
