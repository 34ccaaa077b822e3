from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from socialcli.plugins import registry
from socialcli.runs.accuracy import accuracy_table
from socialcli.runs.answers import Label, Labels
from socialcli.runs.comparison import ComparedRow, Comparison, compare, compared_table, flipped
from socialcli.runs.conditions import Wanted, chosen_sides
from socialcli.runs.mcnemar import mcnemar_p
from socialcli.runs.pairing import pair_up
from socialcli.runs.predictions import Prediction, as_record
from socialcli.runs.sources import Source

from ..episodes.samples import record, write_lines
from .folders import answered, leave
from .samples import plain


def table(a: list[Prediction], b: list[Prediction], seed: int = 0, draws: int = 500) -> list[ComparedRow]:
    return compared_table(pair_up(map(as_record, a), map(as_record, b)).pairs, seed, draws)


def compared(folder: Path, a: list[Prediction], b: list[Prediction], labels: Labels | None = None) -> Comparison:
    sources = Source.find(leave(folder / "a", a)), Source.find(leave(folder / "b", b))
    ((one, other),) = chosen_sides(*sources, Wanted(), Wanted())
    return compare(one, other, labels)


def test_failed_and_unparsed_answers_are_wrong_on_their_side() -> None:
    (row,) = table(answered("11100x?0"), answered("1x?11100"))
    assert (row.n, row.correct_a, row.correct_b) == (8, 3, 4)
    assert (row.accuracy_a, row.accuracy_b, row.difference) == (3 / 8, 4 / 8, 1 / 8)
    assert (row.only_a, row.only_b, row.p) == (2, 3, mcnemar_p(2, 3))
    assert (row.failed_a, row.failed_b, row.unparsed_a, row.unparsed_b) == (1, 1, 1, 1)


def test_unlabelled_questions_are_counted_and_nothing_else() -> None:
    (row,) = table(answered("10uu"), answered("11uu"))
    assert (row.n, row.unlabelled, row.only_a, row.only_b) == (2, 2, 0, 1)


def test_without_any_label_there_is_no_difference() -> None:
    (row,) = table(answered("uu"), answered("uu"))
    assert (row.n, row.unlabelled) == (0, 2)
    assert {row.accuracy_a, row.accuracy_b, row.difference, row.ci_low, row.ci_high, row.p} == {None}


def test_a_row_per_task_dataset_and_split_sorted_null_first() -> None:
    places: list[dict[str, Any]] = [
        {"task": "target", "split": "test"},
        {"task": "target", "split": "dev"},
        {"task": "target", "dataset": None, "split": "test"},
        {"task": "coref", "split": "test"},
    ]
    a = [plain(question_id=f"q{n}", **place) for n, place in enumerate(places)]
    found = [(row.task, row.dataset, row.split) for row in table(a, a[::-1])]
    assert found == [
        ("coref", "drawn", "test"),
        ("target", None, "test"),
        ("target", "drawn", "dev"),
        ("target", "drawn", "test"),
    ]


def test_accuracies_are_those_of_the_accuracy_table() -> None:
    a, b = answered("1101x0u1?01"), answered("1001110u111")
    (of_a,), (of_b,) = (accuracy_table(map(as_record, rows)) for rows in (a, b))
    (row,) = table([*a[:6], *a[8:]], [*b[:6], *b[8:]])
    assert (row.n, row.accuracy_a) == (of_a.n - 1, (of_a.correct - 1) / (of_a.n - 1))  # q7 is labelled in A alone
    assert (row.n, row.accuracy_b) == (of_b.n - 1, of_b.correct / (of_b.n - 1))  # and q6 in B


def test_the_interval_is_of_the_paired_difference_by_episode() -> None:
    generator = np.random.default_rng(3)
    right = generator.random((60, 2)) < (0.4, 0.6)
    a, b = ("".join("01"[int(one)] for one in side) for side in right.T)
    (row,) = table(answered(a), answered(b), draws=10_000)
    clusters = (right[:, 1].astype(float) - right[:, 0]).reshape(-1, 2)  # two questions an episode
    draws = clusters[generator.integers(30, size=(20_000, 30))].mean(axis=(1, 2))
    low, high = np.quantile(draws, (0.025, 0.975))
    assert (row.ci_low, row.ci_high) == pytest.approx((low, high), abs=0.015)
    assert row.difference == pytest.approx(clusters.mean())


def test_the_seed_decides_the_interval_and_one_episode_has_none() -> None:
    a, b = answered("1101001011010010"), answered("1011110100110110")
    assert table(a, b, seed=1) == table(a, b, seed=1) != table(a, b, seed=2)
    (row,) = table(a[:2], b[:2])
    assert (row.ci_low, row.ci_high, row.n) == (None, None, 2)


def test_flips_are_labelled_and_of_one_side_alone() -> None:
    pairs = pair_up(map(as_record, answered("110u0x")), map(as_record, answered("101u0x"))).pairs
    assert [(pair.a.question_id, pair.a.correct, pair.b.correct) for pair in flipped(pairs)] == [
        ("q1", True, False),
        ("q2", False, True),
    ]


def test_a_side_against_itself_differs_in_nothing(tmp_path: Path) -> None:
    comparison = compared(tmp_path, answered("1101"), answered("1101"))
    (row,) = comparison.table
    assert (row.difference, row.only_a, row.only_b, row.p, row.ci_low, row.ci_high) == (0, 0, 0, 1, 0, 0)
    assert (comparison.differing, comparison.warnings) == ({}, ())


def test_labels_settle_what_the_sides_say_of_the_right_answer(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"question_id": "e1/target", "task": "target", "candidates": ("s2", "s3")}
    a = plain(**asked, prediction="s2", answer="s3")
    b = plain(**asked, prediction="s3", answer=None)
    new = plain(question_id="new", task="target")
    path = write_lines(tmp_path / "answers.jsonl", [record()])
    labels = Labels.read(path, {name: task.item for name, task in registry().tasks().items()})
    comparison = compared(tmp_path, [a, new], [b, new], labels)
    (row,) = comparison.table
    assert (row.n, row.unlabelled, row.correct_a, row.correct_b) == (1, 1, 1, 0)
    assert [warning.split(":")[0] for warning in comparison.warnings] == ["A", "B"]


def test_what_is_wrong_with_a_run_or_the_labels_is_told_once(tmp_path: Path) -> None:
    folder = leave(tmp_path, [*answered("1"), *answered("1", aligned=True)], outcome="interrupted")
    (sides,) = chosen_sides(Source.find(folder), None, Wanted(), Wanted())
    labels = Labels(tmp_path / "new.jsonl", {("q0", "mentioned"): Label("ann", None)}, 2)
    interrupted, problems = compare(*sides, labels).warnings
    assert "was interrupted" in interrupted and "2 problems" in problems
