"""What `--kind` names."""

from __future__ import annotations

import pytest

from socialcli.errors import UnknownNameError, UsageError
from socialcli.perturbation.kinds import KINDS
from socialcli.perturbation.perturbation import Perturbation
from socialcli.verbs.stress.levels import tested_errors as parsed


def test_without_names_all_kinds_are_tested_at_their_levels() -> None:
    errors = parsed([])
    assert [one.kind for one in errors.kinds] == list(KINDS)
    assert len(list(errors.perturbations())) == 33


def test_levels_are_sorted_and_counted_once_and_0_is_left_out() -> None:
    errors = parsed(["time-shift=2,0,0.5", "time-shift=2", "box-jitter"], seed=4)
    assert [(one.kind.name, one.levels) for one in errors.kinds] == [
        ("box-jitter", (0.1, 0.25, 0.5)),
        ("time-shift", (0.5, 2.0)),
    ]
    assert list(errors.perturbations())[-1] == Perturbation("time-shift", 2.0, 4)
    assert errors.as_record()[1] == {"kind": "time-shift", "unit": "seconds", "levels": [0.0, 0.5, 2.0]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no-boxes=1.5", "no-boxes: a level is a number from 0 to 1"),
        ("no-boxes=a", "--kind no-boxes=a: write levels as numbers with commas"),
        ("no-boxes=", "--kind no-boxes=: write levels as numbers with commas"),
        ("no-boxes=0", "--kind no-boxes=0: level 0 is tested in any case"),
    ],
)
def test_wrong_levels_are_usage_errors(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parsed([text])


def test_an_unknown_kind_is_a_usage_error() -> None:
    with pytest.raises(UnknownNameError, match=r"kind of annotation error 'no-box'\. Did you mean 'no-boxes'"):
        parsed(["no-box"])
