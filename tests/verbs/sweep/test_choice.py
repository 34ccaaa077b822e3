"""The best setting: what it is chosen by, what it is not, and what is reported of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialcli.errors import UsageError
from socialcli.jobs.grid import PLAIN, Setting
from socialcli.jobs.splits import Splits, resolve_splits
from socialcli.results.columns import as_record
from socialcli.stats.accuracy import accuracy_table
from socialcli.verbs.sweep.choice import Choice, choices, unchosen

from .sweeps import DECODER, Right, answered, grid, table_of

SPLITS = Splits("validation", ("test",))
ASKED = grid().settings(DECODER)
HALF, ONE = ASKED[1:]


def chosen(right: Right, asked: Sequence[Setting] = ASKED, tasks: Sequence[str] = ("target",)) -> tuple[Choice, ...]:
    return choices(table_of(answered(right, asked, tasks=tasks), asked), SPLITS)


def first(count: dict[tuple[str, Setting], int]) -> Right:
    """The first so many questions are right, by split and setting."""
    return lambda task, split, setting, question: question < count.get((split or "", setting), 0)


def test_the_best_in_the_validation_split_is_chosen_and_its_test_figures_are_reported() -> None:
    counts = {("validation", PLAIN): 3, ("validation", HALF): 6, ("validation", ONE): 5}
    counts |= {("test", PLAIN): 9, ("test", HALF): 4, ("test", ONE): 12}
    (choice,) = chosen(first(counts))
    assert choice.setting == HALF
    assert (choice.validation.split, choice.validation.means) == ("validation", (0.5, 0.25))
    (test,) = choice.test
    assert test.split == "test" and test.means == (4 / 12, 9 / 12)
    ((aligned, plain),) = test.rows
    assert (aligned.alpha, aligned.correct, plain.alpha, plain.correct) == (0.5, 4, None, 9)
    assert aligned.ci_low is not None and aligned.ci_high is not None
    assert aligned.ci_low <= aligned.correct / aligned.n <= aligned.ci_high


def test_where_nothing_beats_the_plain_model_it_is_the_best() -> None:
    counts = {("validation", PLAIN): 6, ("validation", HALF): 6, ("validation", ONE): 5, ("test", ONE): 12}
    (choice,) = chosen(first(counts))
    assert choice.setting == PLAIN
    ((aligned, plain),) = choice.test[0].rows
    assert aligned == plain


@pytest.mark.parametrize(
    ("equal", "nearest"),
    [
        ([Setting(2.0, 5e-5, "10-19", "published"), Setting(0.5, 0.0, "0-27", "published")], 1),
        ([Setting(1.0, 5e-5, "10-19", "published"), Setting(1.0, 5e-4, "0-27", "published")], 1),
        ([Setting(1.0, 5e-5, "0-9", "published"), Setting(1.0, 5e-5, "10-18", "published")], 1),
        ([Setting(1.0, 5e-5, "9-9", "published"), Setting(1.0, 5e-5, "10-19", "published")], 0),
        ([Setting(1.0, 5e-5, "10-19", "published"), Setting(1.0, 5e-5, "0-9", "published")], 0),
        ([Setting(1.0, 5e-5, "0-9", "probability"), Setting(1.0, 5e-5, "0-9", "published")], 0),
    ],
    ids=["alpha", "lambda", "layers", "layers the other way", "order of layers", "order of rules"],
)
def test_among_equals_the_nearest_to_the_plain_model_is_the_best(equal: list[Setting], nearest: int) -> None:
    asked = (PLAIN, *equal)
    (choice,) = chosen(lambda task, split, setting, question: setting != PLAIN, asked)
    assert choice.setting == equal[nearest]


def test_among_equals_fewer_active_heads_come_before_a_lambda_without_effect() -> None:
    every = Setting(1.0, 5e-5, "10-19", "published", "all")
    few = Setting(1.0, 1e-5, "10-19", "published", "dynamic", 8)
    (choice,) = chosen(lambda task, split, setting, question: setting != PLAIN, (PLAIN, every, few))
    assert choice.setting == few


def test_all_tasks_together_are_judged_by_the_mean_of_their_accuracies() -> None:
    # Of the large task ONE gets 20 more than HALF, of the small one 2 fewer, which is more of it.
    rows = answered(
        lambda task, split, setting, question: question < {PLAIN: 0, HALF: 40, ONE: 60}[setting],
        ASKED,
        tasks=("large",),
        questions=100,
    )
    rows += answered(
        lambda task, split, setting, question: question < {PLAIN: 0, HALF: 4, ONE: 2}[setting],
        ASKED,
        tasks=("small",),
        questions=4,
    )
    large, small, together = choices(table_of(rows, ASKED), SPLITS)
    assert [(one.task, one.setting) for one in (large, small)] == [("large", ONE), ("small", HALF)]
    assert (together.task, together.tasks, together.setting) == (None, ("large", "small"), HALF)
    assert together.test[0].means == pytest.approx(((0.4 + 1.0) / 2, 0.0))
    assert [aligned.task for aligned, _ in together.test[0].rows] == ["large", "small"]


def test_equal_means_are_equal_however_they_are_added_up() -> None:
    # 1/10 + 2/10 + 3/10 is not 6/10 in floating point.
    asked = (PLAIN, ONE, HALF)

    def right(task: str, split: str | None, setting: Setting, question: int) -> bool:
        counts = {ONE: {"a": 1, "b": 2, "c": 3}, HALF: {"a": 3, "b": 2, "c": 1}, PLAIN: {"a": 0, "b": 0, "c": 0}}
        return question < counts[setting][task]

    rows = answered(right, asked, tasks=("a", "b", "c"), questions=10)
    *_, together = choices(table_of(rows, asked), SPLITS)
    assert together.setting == HALF


@given(seed=st.integers(0, 10_000))
def test_the_choice_never_looks_at_the_test_split(seed: int) -> None:
    rng = random.Random(seed)
    rows = answered(lambda *_: rng.random() < 0.5, ASKED, tasks=("coref", "target"), questions=6)
    settings = [one.setting for one in choices(table_of(rows, ASKED), SPLITS)]
    places = [place for place, row in enumerate(rows) if row.split == "test"]
    predictions = [rows[place].prediction for place in places]
    rng.shuffle(predictions)
    for place, prediction in zip(places, predictions, strict=True):
        rows[place] = replace(rows[place], prediction=prediction)
    assert [one.setting for one in choices(table_of(rows, ASKED), SPLITS)] == settings
    only = [row for row in rows if row.split == "validation"]
    assert [one.setting for one in choices(table_of(only, ASKED), SPLITS)] == settings


def test_the_choice_does_look_at_the_validation_split() -> None:
    for better in (PLAIN, HALF, ONE):
        counts = {("validation", better): 1} | {("test", one): 12 for one in ASKED if one != better}
        assert chosen(first(counts))[0].setting == better


def test_without_a_validation_split_there_is_no_best() -> None:
    table = table_of(answered(lambda *_: True, ASKED), ASKED)
    assert choices(table, Splits(None, ("test", "validation"))) == ()


def test_a_task_without_labelled_validation_questions_has_no_best() -> None:
    def right(task: str, split: str | None, setting: Setting, question: int) -> bool | None:
        return None if task == "coref" and split == "validation" else setting == ONE

    table = table_of(answered(right, ASKED, tasks=("coref", "target")), ASKED)
    assert [(one.task, one.setting) for one in choices(table, SPLITS)] == [("target", ONE)]
    assert unchosen(table, SPLITS) == [
        "no best setting for coref: no labelled question of the split 'validation' was asked"
    ]


def test_a_test_split_without_labels_is_not_reported() -> None:
    table = table_of(answered(lambda task, split, *_: None if split == "test" else True, ASKED), ASKED)
    (choice,) = choices(table, SPLITS)
    assert choice.test == ()


def test_failed_questions_count_as_wrong() -> None:
    rows = answered(first({("validation", HALF): 6, ("validation", ONE): 7}), ASKED)
    rows = [
        replace(row, status="failed", error="ModelError: no", prediction=None, scores=None)
        if row.alpha == 1 and row.question_id in ("target/validation/0", "target/validation/1")
        else row
        for row in rows
    ]
    (choice,) = choices(table_of(rows, ASKED), SPLITS)
    assert choice.setting == HALF and choice.validation.rows[0][0].n == 12


def test_the_datasets_of_a_task_are_counted_together() -> None:
    rows = answered(
        first({("validation", HALF): 6, ("validation", ONE): 7, ("test", ONE): 3}),
        ASKED,
        dataset=lambda question: "even" if question % 4 < 2 else "odd",
    )
    (choice,) = choices(table_of(rows, ASKED), SPLITS)
    assert choice.setting == ONE
    ((row, _),) = choice.test[0].rows
    assert (row.dataset, row.n, row.correct) == (None, 12, 3)


def test_a_single_dataset_has_the_figures_of_the_accuracy_table() -> None:
    rows = answered(first({("validation", ONE): 7, ("test", ONE): 5}), ASKED)
    (choice,) = choices(table_of(rows, ASKED), SPLITS)
    assert choice.test[0].rows[0][0] in accuracy_table([as_record(row) for row in rows])


@pytest.mark.parametrize(
    ("found", "validation", "test", "expected"),
    [
        ({"validation", "test"}, None, (), Splits("validation", ("test",))),
        ({"train", "val", "test", None}, None, (), Splits("val", (None, "test", "train"))),
        ({"train", "dev", "test"}, None, ("test",), Splits("dev", ("test",))),
        ({"train", "test"}, "train", (), Splits("train", ("test",))),
        ({"val", "dev", "test"}, "dev", (), Splits("dev", ("test", "val"))),
        ({"val", "dev", "test"}, None, ("dev",), Splits("val", ("dev",))),
        ({"a", "b", "validation"}, "a", ("b", "b"), Splits("a", ("b",))),
        ({"validation"}, None, (), Splits("validation", ())),
        ({None, "validation"}, None, (), Splits("validation", (None,))),
        ({None, "a"}, "a", (), Splits("a", (None,))),
    ],
)
def test_what_the_splits_come_to(
    found: set[str | None], validation: str | None, test: tuple[str, ...], expected: Splits
) -> None:
    assert resolve_splits(found, validation, test) == expected


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"train", "test"}, "the file has: test, train"),
        ({"val", "dev", "test"}, "it could be val or dev"),
        ({None}, "the file has: (none)"),
        ({None, "test"}, "the file has: (none), test"),
    ],
)
def test_a_validation_split_is_not_invented(found: set[str | None], why: str) -> None:
    splits = resolve_splits(found, None, ())
    assert splits.validation is None and set(splits.test) == splits.asked == found
    assert splits.warning is not None and why in splits.warning and "--validation-split" in splits.warning


@pytest.mark.parametrize(
    ("validation", "test", "message"),
    [
        ("valdation", (), "--validation-split 'valdation': no episode is of this split; the file has: test, validat"),
        (None, ("tset",), "--test-split 'tset': no episode is of this split"),
        ("validation", ("validation",), "--test-split 'validation' is the validation split"),
    ],
)
def test_splits_that_cannot_be_are_usage_errors(validation: str | None, test: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_splits({"validation", "test"}, validation, test)
    assert message in str(caught.value)
