from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from socialcli.errors import InvalidInputError
from socialcli.results.columns import as_record
from socialcli.results.predictions import PREDICTION_ARROW_SCHEMA, Prediction, read_predictions
from socialcli.stats.accuracy import (
    ACCURACY_ARROW_SCHEMA,
    GROUP_COLUMNS,
    OVERALL,
    STRENGTH_COLUMNS,
    AccuracyRow,
    accuracy_table,
    read_accuracy,
    write_accuracy,
)
from socialcli.stats.intervals import accuracy_interval

from ..results.folders import answered, leave, of_earlier_version
from ..results.samples import failed, plain, prediction


def table(*rows: Prediction) -> list[AccuracyRow]:
    return accuracy_table(map(as_record, rows))


def test_failed_and_unparsed_questions_count_as_wrong() -> None:
    common = {"dataset": "drawn"}
    (row,) = table(
        plain(**common),
        plain(**common, prediction="bob"),
        plain(**common, status="unparsed", prediction=None, scores=None),
        failed(**common),
    )
    assert (row.n, row.correct, row.accuracy, row.failed, row.unparsed) == (4, 1, 0.25, 1, 1)


def test_unlabelled_questions_are_counted_but_not_in_n() -> None:
    (row,) = table(plain(), plain(answer=None), failed(dataset="drawn", answer=None))
    assert (row.n, row.correct, row.accuracy, row.unlabelled, row.failed) == (1, 1, 1.0, 2, 1)


def test_without_any_label_there_is_no_accuracy() -> None:
    (row,) = table(plain(answer=None), plain(answer=None, episode_id="e2"))
    assert (row.n, row.accuracy, row.ci_low, row.ci_high, row.chance) == (0, None, None, None, None)


def test_chance_is_the_mean_over_the_questions_with_candidates() -> None:
    three = ("ann", "bob", "cy")
    (row,) = table(
        plain(),
        plain(candidates=three, scores=(-1.0, -1.0, -1.0)),
        plain(candidates=three, scores=None, answer=None),
        failed(dataset="drawn"),
    )
    assert row.chance == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_a_question_with_a_single_candidate_counts_in_nothing_but_its_own_column() -> None:
    alone: dict[str, Any] = {"candidates": ("ann",), "scores": (0.0,)}
    (row,) = table(
        plain(),
        plain(prediction="bob", episode_id="e2"),
        plain(**alone, episode_id="e3"),
        plain(**alone, answer=None),
        failed(dataset="drawn", candidates=("ann",)),
    )
    assert (row.n, row.episodes, row.correct, row.single_candidate) == (2, 2, 1, 3)
    assert (row.unlabelled, row.failed, row.chance) == (0, 1, 0.5)


def test_only_questions_with_a_single_candidate_have_no_accuracy() -> None:
    (row,) = table(plain(candidates=("ann",), scores=(0.0,)))
    assert (row.n, row.single_candidate, row.accuracy, row.ci_low, row.chance) == (0, 1, None, None, None)


def test_several_tasks_are_counted_together_behind_their_own_rows() -> None:
    coref = [plain(task="coref", split="dev", episode_id=f"e{n}", prediction="ann" if n else "bob") for n in range(6)]
    videoqa = [plain(task="videoqa", split="dev", episode_id=f"e{n // 2}", prediction="bob") for n in range(4)]
    rows = table(*videoqa, *coref, plain(task="coref", split="test"), plain(task="videoqa", split="dev", answer=None))
    assert [(row.task, row.split) for row in rows] == [
        ("coref", "dev"),
        ("coref", "test"),
        ("videoqa", "dev"),
        ("all", "dev"),
    ]
    one, _, other, together = rows
    assert (together.n, together.correct, together.unlabelled) == (10, 5, 1)
    assert (one.episodes, other.episodes, together.episodes) == (6, 2, 6)
    assert together.chance == 0.5
    assert (together.ci_low, together.ci_high) == accuracy_interval([(3, 0), (3, 1), (1, 1), (1, 1), (1, 1), (1, 1)])


def test_a_table_of_other_columns_cannot_be_read(tmp_path: Path) -> None:
    write_accuracy(tmp_path / "accuracy.parquet", table(plain()))
    assert read_accuracy(tmp_path / "accuracy.parquet") == table(plain())
    old = pq.read_table(tmp_path / "accuracy.parquet").drop_columns(["episodes"])
    pq.write_table(old, tmp_path / "accuracy.parquet")
    with pytest.raises(InvalidInputError, match="episodes"):
        read_accuracy(tmp_path / "accuracy.parquet")


def test_a_single_episode_has_no_interval() -> None:
    (row,) = table(plain(), plain(question_id="q2", prediction="bob"))
    assert (row.accuracy, row.ci_low, row.ci_high) == (0.5, None, None)


def test_the_interval_is_of_the_labelled_episodes() -> None:
    episodes = [plain(episode_id=f"e{n}", prediction="ann" if n % 4 else "bob") for n in range(40)]
    (row,) = table(*episodes)
    (padded,) = table(*episodes, *(plain(episode_id=f"u{n}", answer=None) for n in range(40)))
    assert row.ci_low is not None and row.ci_high is not None
    assert 0.55 < row.ci_low < 0.75 < row.ci_high < 0.95
    assert (padded.ci_low, padded.ci_high) == (row.ci_low, row.ci_high)


def test_every_condition_gets_a_row_and_the_order_does_not_depend_on_the_input() -> None:
    rows = [
        prediction(),
        plain(),
        plain(split="test"),
        plain(dataset=None),
        plain(task="coref"),
        prediction(alpha=2.0),
        prediction(lambda_=0.1),
        prediction(layers="0-3"),
        prediction(bias="probability"),
        plain(inputs="L"),
        plain(boxes_as="text"),
        plain(context="past"),
        plain(answer_mode="generate"),
        plain(model="internvl3"),
        plain(checkpoint="elsewhere"),
        plain(adapter="adapters/tuned"),
    ]
    expected = table(*rows)
    assert len(expected) == len(rows) + 1  # and the two tasks of one condition together
    assert [row.n for row in expected if row.task != OVERALL] == [1] * len(rows)
    random.Random(1).shuffle(rows)
    assert table(*rows) == expected
    assert [row.model for row in expected] == ["internvl3"] + ["qwen2.5-vl"] * 16
    assert expected[1].task == "coref"
    assert expected[2].dataset is None


def test_the_unaligned_condition_comes_first_and_the_same_answers_have_the_same_interval() -> None:
    episodes = [f"e{number}" for number in range(12)]
    off, on = table(
        *(prediction(episode_id=name, prediction="ann" if name < "e5" else "bob") for name in episodes),
        *(plain(episode_id=name, prediction="ann" if name < "e5" else "bob") for name in episodes),
    )
    assert (off.alignment, on.alignment) == (False, True)
    assert (off.ci_low, off.ci_high) == (on.ci_low, on.ci_high)


def test_the_file_holds_the_table(tmp_path: Path) -> None:
    rows = table(prediction(), plain(), plain(answer=None, task="coref"))
    write_accuracy(tmp_path / "accuracy.parquet", rows)
    read = pq.read_table(tmp_path / "accuracy.parquet")
    assert read.schema.equals(ACCURACY_ARROW_SCHEMA)
    assert read.to_pylist() == [row.as_record() for row in rows]


def test_the_columns_are_the_fields_of_a_row() -> None:
    (row,) = table(prediction())
    assert list(row.as_record()) == ACCURACY_ARROW_SCHEMA.names
    assert math.isclose(row.as_record()["lambda"], 5e-5)


def test_rows_of_an_earlier_version_count_with_the_others(tmp_path: Path) -> None:
    now = leave(tmp_path / "now", answered("10", aligned=True))
    before = of_earlier_version(leave(tmp_path / "before", answered("11", aligned=True)))
    rows = [row for folder in (now, before) for row in read_predictions(folder / "predictions.parquet")]
    (row,) = accuracy_table(rows)
    assert (row.n, row.correct, row.heads_by, row.steer) == (4, 3, "dynamic", "speaker")


def test_the_columns_of_a_group_are_those_of_predictions() -> None:
    fields = [PREDICTION_ARROW_SCHEMA.field(name) for name in GROUP_COLUMNS]
    assert [ACCURACY_ARROW_SCHEMA.field(name) for name in GROUP_COLUMNS] == fields
    assert (
        *("alpha", "lambda", "layers", "bias", "heads", "max_heads", "heads_by", "heads_seed", "steer", "balance"),
        *("regions", "region_share"),
        *("perturbation", "level", "perturbation_seed"),
    ) == STRENGTH_COLUMNS
