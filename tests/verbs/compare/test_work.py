from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from socialcli.plugins.registry import registry
from socialcli.results.columns import as_record
from socialcli.results.predictions import Prediction
from socialcli.stats.accuracy import accuracy_table
from socialcli.stats.gold import GoldLabel, GoldLabels
from socialcli.stats.intervals import difference_interval
from socialcli.stats.mcnemar import mcnemar_p
from socialcli.stats.paired import ComparedRow, compared_table, flipped
from socialcli.stats.pairing import pair_up
from socialcli.stats.signflip import sign_flip_p
from socialcli.stats.sources import Source
from socialcli.verbs.compare.conditions import Wanted, chosen_sides
from socialcli.verbs.compare.work import Comparison, compare

from ...episodes.samples import record, write_lines
from ...results.folders import answered, leave
from ...results.samples import plain


def table(a: list[Prediction], b: list[Prediction]) -> list[ComparedRow]:
    return compared_table(pair_up(map(as_record, a), map(as_record, b)).pairs)


def compared(folder: Path, a: list[Prediction], b: list[Prediction], labels: GoldLabels | None = None) -> Comparison:
    sources = Source.find(leave(folder / "a", a)), Source.find(leave(folder / "b", b))
    ((one, other),) = chosen_sides(*sources, Wanted(), Wanted())
    return compare(one, other, labels)


def test_failed_and_unparsed_answers_are_wrong_on_their_side() -> None:
    (row,) = table(answered("11100x?0"), answered("1x?11100"))
    assert (row.n, row.correct_a, row.correct_b) == (8, 3, 4)
    assert (row.accuracy_a, row.accuracy_b, row.difference) == (3 / 8, 4 / 8, 1 / 8)
    assert (row.only_a, row.only_b, row.p_mcnemar) == (2, 3, mcnemar_p(2, 3))
    assert (row.failed_a, row.failed_b, row.unparsed_a, row.unparsed_b) == (1, 1, 1, 1)


def test_unlabelled_questions_are_counted_and_nothing_else() -> None:
    (row,) = table(answered("10uu"), answered("11uu"))
    assert (row.n, row.unlabelled, row.only_a, row.only_b) == (2, 2, 0, 1)


def test_without_any_label_there_is_no_difference() -> None:
    (row,) = table(answered("uu"), answered("uu"))
    assert (row.n, row.unlabelled) == (0, 2)
    assert {row.accuracy_a, row.accuracy_b, row.difference, row.ci_low, row.ci_high, row.p, row.p_mcnemar} == {None}


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
        ("all", "drawn", "test"),
    ]


def test_accuracies_are_those_of_the_accuracy_table() -> None:
    a, b = answered("1101x0u1?01"), answered("1001110u111")
    (of_a,), (of_b,) = (accuracy_table(map(as_record, rows)) for rows in (a, b))
    (row,) = table([*a[:6], *a[8:]], [*b[:6], *b[8:]])
    assert (row.n, row.accuracy_a) == (of_a.n - 1, (of_a.correct - 1) / (of_a.n - 1))  # q7 is labelled in A alone
    assert (row.n, row.accuracy_b) == (of_b.n - 1, of_b.correct / (of_b.n - 1))  # and q6 in B


def test_the_statistics_are_of_the_paired_differences_by_episode() -> None:
    (row,) = table(answered("1101001011010010"), answered("1011110100110110"))  # two questions an episode
    shown = [(2, lost, gained) for lost, gained in by_episode("1101001011010010", "1011110100110110")]
    assert row.episodes == len(shown) == 8
    assert (row.ci_low, row.ci_high) == difference_interval(shown)
    assert row.p == sign_flip_p(gained - lost for _, lost, gained in shown)
    assert row.episodes_differing == sum(gained != lost for _, lost, gained in shown)


def by_episode(a: str, b: str) -> list[tuple[int, int]]:
    pairs = list(zip(a, b, strict=True))
    return [
        (sum(one > other for one, other in two), sum(one < other for one, other in two))
        for two in zip(pairs[::2], pairs[1::2], strict=True)
    ]


def test_one_episode_has_no_interval() -> None:
    (row,) = table(answered("11"), answered("10"))
    assert (row.ci_low, row.ci_high, row.n, row.episodes, row.p) == (None, None, 2, 1, 1)


def test_questions_with_a_single_candidate_are_counted_and_nothing_else() -> None:
    alone: dict[str, Any] = {"question_id": "alone", "candidates": ("ann",)}
    a = [*answered("10"), plain(**alone, scores=(0.0,))]
    b = [*answered("11"), plain(**alone, prediction=None, scores=None, status="unparsed")]
    pairs = pair_up(map(as_record, a), map(as_record, b)).pairs
    (row,) = compared_table(pairs)
    assert (row.n, row.single_candidate, row.only_a, row.only_b, row.unparsed_b) == (2, 1, 0, 1, 1)
    assert [pair.a.question_id for pair in flipped(pairs)] == ["q1"]


def test_all_tasks_together_stand_behind_the_tasks() -> None:
    places: list[dict[str, Any]] = [
        {"task": task, "episode_id": f"e{n}"} for task in ("coref", "target") for n in (1, 2)
    ]
    a = [plain(question_id=f"q{n}", **place) for n, place in enumerate(places)]
    b = [replace(row, prediction="bob") for row in a[:3]] + a[3:]
    coref, target, together = table(a, b)
    assert [row.task for row in (coref, target, together)] == ["coref", "target", "all"]
    assert (together.n, together.episodes, together.only_a, together.only_b) == (4, 2, 3, 0)
    assert (together.p, coref.p, target.p) == (0.5, 0.5, 1)  # the two episodes lose 2 questions and 1


def test_flips_are_labelled_and_of_one_side_alone() -> None:
    pairs = pair_up(map(as_record, answered("110u0x")), map(as_record, answered("101u0x"))).pairs
    assert [(pair.a.question_id, pair.a.correct, pair.b.correct) for pair in flipped(pairs)] == [
        ("q1", True, False),
        ("q2", False, True),
    ]


def test_a_side_against_itself_differs_in_nothing(tmp_path: Path) -> None:
    comparison = compared(tmp_path, answered("1101"), answered("1101"))
    (row,) = comparison.table
    assert (row.difference, row.only_a, row.only_b, row.p) == (0, 0, 0, 1)
    assert row.ci_low is not None and row.ci_high is not None and row.ci_low < 0 < row.ci_high
    assert (comparison.differing, comparison.warnings) == ({}, ())


def test_labels_settle_what_the_sides_say_of_the_right_answer(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"question_id": "e1/target", "task": "target", "candidates": ("s2", "s3")}
    a = plain(**asked, prediction="s2", answer="s3")
    b = plain(**asked, prediction="s3", answer=None)
    new = plain(question_id="new", task="target")
    path = write_lines(tmp_path / "answers.jsonl", [record()])
    labels = GoldLabels.read(path, {name: task.item for name, task in registry().tasks().items()})
    comparison = compared(tmp_path, [a, new], [b, new], labels)
    (row,) = comparison.table
    assert (row.n, row.unlabelled, row.correct_a, row.correct_b) == (1, 1, 1, 0)
    assert [warning.split(":")[0] for warning in comparison.warnings] == ["A", "B"]


def test_what_is_wrong_with_a_run_or_the_labels_is_reported_once(tmp_path: Path) -> None:
    folder = leave(tmp_path, [*answered("1"), *answered("1", aligned=True)], outcome="interrupted")
    (sides,) = chosen_sides(Source.find(folder), None, Wanted(), Wanted())
    labels = GoldLabels(tmp_path / "new.jsonl", {("q0", "mentioned"): GoldLabel("ann", None)}, 2)
    interrupted, problems = compare(*sides, labels).warnings
    assert "was interrupted" in interrupted and "2 problems" in problems
