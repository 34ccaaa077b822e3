from __future__ import annotations

from typing import Any

import pytest

from socialcli.errors import UsageError
from socialcli.settings.failures import FailureLimit

from ..results.samples import settings


@pytest.mark.parametrize(("alignment", "conditions"), [("on", (True,)), ("off", (False,)), ("both", (False, True))])
def test_conditions_put_the_unaligned_one_first(alignment: str, conditions: tuple[bool, ...]) -> None:
    assert settings(alignment=alignment).alignment.conditions() == conditions


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alignment": "yes"}, "--alignment 'yes' is not one of on, off, both"),
        ({"inputs": "vl"}, "--inputs 'vl'"),
        ({"boxes_as": "drawn"}, "--boxes-as 'drawn'"),
        ({"context": "online"}, "--context 'online'"),
        ({"answer": "guess"}, "--answer 'guess'"),
        ({"alpha": -0.1}, "--alpha -0.1 is out of range"),
        ({"alpha": float("nan")}, "--alpha nan"),
        ({"lambda_": float("inf")}, "--lambda inf"),
        ({"frames": 0}, "--frames 0 is out of range: give a number of at least 1"),
        ({"batch_size": 0}, "--batch-size 0"),
        ({"limit": -1}, "--limit -1"),
        ({"timeout_per_question": 0.0}, "--timeout-per-question 0.0"),
        ({"box_gap": -1.0}, "--box-gap -1.0"),
        ({"tasks": ()}, "no task is named"),
        ({"layers": "10..19"}, "--layers '10..19'"),
        ({"max_failures": "few"}, "--max-failures 'few'"),
    ],
)
def test_a_value_out_of_range_is_a_usage_error(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings(**changes)
    assert message in str(caught.value)


def test_the_limits_of_the_ranges_are_allowed() -> None:
    edge = settings(alpha=0.0, lambda_=0.0, box_gap=0.0, frames=1, batch_size=1, limit=0)
    assert (edge.alignment.alpha, edge.selection.limit) == (0.0, 0)


def test_the_record_uses_the_names_of_the_options() -> None:
    record = settings(lambda_=0.5, tasks=("coref", "target")).as_record()
    assert record["lambda"] == 0.5
    assert record["tasks"] == ["coref", "target"]
    assert "lambda_" not in record


@pytest.mark.parametrize(
    ("text", "failed", "total", "exceeded"),
    [
        ("0", 0, 10, False),
        ("0", 1, 10, True),
        ("3", 3, 3, False),
        ("3", 4, 1000, True),
        ("10%", 1, 10, False),
        ("10%", 2, 10, True),
        ("0.1%", 1, 1000, False),
        ("0.1%", 2, 1000, True),
        ("7%", 7, 100, False),
        ("100%", 5, 5, False),
        ("0%", 0, 0, False),
    ],
)
def test_failures_are_held_against_the_limit(text: str, failed: int, total: int, exceeded: bool) -> None:
    assert FailureLimit.parse(text).exceeded(failed, total) is exceeded


@pytest.mark.parametrize("text", ["", "-1", "%", "101%", "1.5", "5 %", " 5", "1/2%", "nan", "five"])
def test_what_is_no_limit_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--max-failures"):
        FailureLimit.parse(text)
