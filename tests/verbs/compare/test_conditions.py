from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from socialcli.errors import InvalidInputError, UsageError
from socialcli.results.columns import as_record
from socialcli.stats.sources import Source
from socialcli.verbs.compare.conditions import CONDITION_COLUMNS, Condition, Wanted, chosen_sides

from ...results.folders import answered, leave
from ...results.samples import plain, prediction

OFF, ON = answered("10"), answered("11", aligned=True)
STRONG = answered("11", aligned=True, alpha=2.0)
DEEP = answered("11", aligned=True, layers="0-3")


def sides(tmp_path: Path, a: list[Any], b: list[Any] | None, want_a: str = "", want_b: str = "") -> list[Any]:
    """The conditions that are compared, as (alignment, alpha, layers) of A and B."""
    one = Source.find(leave(tmp_path / "a", a))
    other = None if b is None else Source.find(leave(tmp_path / "b", b))
    wanted = Wanted.parse("--condition-a", want_a.split()), Wanted.parse("--condition-b", want_b.split())
    return [
        tuple((record["alignment"], record["alpha"], record["layers"]) for record in records)
        for pair in chosen_sides(one, other, *wanted)
        for records in [[side.condition.as_record() for side in pair]]
    ]


PLAIN, ALIGNED, ALPHA2, LAYERS = (False, None, None), (True, 1.0, "1-2"), (True, 2.0, "1-2"), (True, 1.0, "0-3")


def test_a_condition_is_how_and_not_what_was_asked() -> None:
    assert Condition.of(as_record(plain())) == Condition.of(as_record(plain(task="coref", split="x", dataset=None)))
    assert Condition.of(as_record(plain())) != Condition.of(as_record(plain(inputs="L")))
    assert not {"task", "dataset", "split"} & set(CONDITION_COLUMNS)
    assert str(Condition.of(as_record(plain()))) == "alignment off"
    expected = "alignment on, alpha 1.0, lambda 5e-05, layers 1-2, bias published"
    assert str(Condition.of(as_record(prediction()))) == expected


@pytest.mark.parametrize("a", [OFF, ON])
@pytest.mark.parametrize("b", [OFF, STRONG])
def test_two_runs_of_one_condition_each_are_compared_whatever_these_are(
    a: list[Any], b: list[Any], tmp_path: Path
) -> None:
    shown = {id(OFF): PLAIN, id(ON): ALIGNED, id(STRONG): ALPHA2}
    assert sides(tmp_path, a, b) == [(shown[id(a)], shown[id(b)])]


def test_one_run_of_two_conditions_is_compared_with_itself(tmp_path: Path) -> None:
    assert sides(tmp_path, [*ON, *OFF], None) == [(PLAIN, ALIGNED)]
    assert sides(tmp_path, [*ON, *OFF], None, "on", "off") == [(ALIGNED, PLAIN)]


def test_of_two_runs_with_two_conditions_like_goes_with_like(tmp_path: Path) -> None:
    assert sides(tmp_path, [*OFF, *ON], [*STRONG, *OFF]) == [(PLAIN, PLAIN), (ALIGNED, ALPHA2)]
    assert sides(tmp_path, [*OFF, *ON], [*STRONG, *OFF], "off", "on") == [(PLAIN, ALPHA2)]


def test_a_setting_of_a_sweep_is_named_by_its_columns(tmp_path: Path) -> None:
    swept = [*OFF, *ON, *STRONG, *DEEP]
    assert sides(tmp_path, swept, None, "", "alpha=2") == [(PLAIN, ALPHA2)]
    assert sides(tmp_path, swept, None, "alpha=1.0 layers=1-2", "layers=0-3") == [(ALIGNED, LAYERS)]
    assert sides(tmp_path, swept, OFF, "alpha=-") == [(PLAIN, PLAIN)]
    assert sides(tmp_path, swept, OFF, "alignment=off") == [(PLAIN, PLAIN)]


@pytest.mark.parametrize(
    ("a", "b", "want_a", "want_b", "part"),
    [
        ([*OFF, *ON], OFF, "", "", "a: has 2 conditions to compare: alignment=off; alignment=on alpha=1.0"),
        (OFF, [*OFF, *ON], "", "", "choose one with --condition-b"),
        ([*OFF, *ON, *STRONG], None, "", "", "alignment=on alpha=1.0; alignment=on alpha=2.0; choose one"),
        ([*OFF, *ON, *STRONG], [*OFF, *ON], "", "", "has 3 conditions"),
        (OFF, None, "", "", "has no condition with alignment=on for --condition-b; it has alignment=off"),
        (OFF, ON, "on", "", "has no condition with alignment=on for --condition-a"),
        ([*OFF, *ON], None, "off", "off", "are the same condition"),
        (OFF, ON, "maybe", "", "--condition-a 'maybe': write on, off, or COLUMN=VALUE"),
        (OFF, ON, "alignment=2", "", "write on, off, or COLUMN=VALUE"),
        (OFF, ON, "", "alfa=2", "Did you mean 'alpha'?"),
        (OFF, ON, "", "task=coref", "there is no column of conditions 'task'"),
        (OFF, ON, "", "alpha=two", "'two' is not a number"),
    ],
)
def test_nothing_is_guessed_at(
    a: list[Any], b: list[Any] | None, want_a: str, want_b: str, part: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as told:
        sides(tmp_path, a, b, want_a, want_b)
    assert part in str(told.value)


def test_a_long_list_of_conditions_is_cut(tmp_path: Path) -> None:
    swept = [*OFF, *(row for alpha in range(1, 41) for row in answered("1", aligned=True, alpha=float(alpha)))]
    with pytest.raises(UsageError, match=r"alpha=6\.0; 34 more; choose"):
        sides(tmp_path, swept, None)


def test_predictions_without_a_row_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="holds no predictions"):
        sides(tmp_path, [], OFF)


def test_a_side_has_the_rows_of_its_condition_alone(tmp_path: Path) -> None:
    mixed = [row for pair in zip(OFF, ON, strict=True) for row in pair]
    ((one, other),) = chosen_sides(Source.find(leave(tmp_path, mixed)), None, Wanted(), Wanted())
    assert [row["correct"] for row in one.rows()] == [True, False]
    assert [row["correct"] for row in other.rows()] == [True, True]
    assert str(one) == f"{tmp_path}, alignment off"
