"""How the suite reports, and whether its own reference and scene are right."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from socialcli.alignment.attention import Alignment
from socialcli.conformance import dense as dense_check
from socialcli.conformance import forwards, spans
from socialcli.conformance.checks import CHECKS, Case, compared
from socialcli.conformance.dense_reference import DenseAlignment
from socialcli.conformance.scene import noise_episode, noise_frames
from socialcli.conformance.subject import Subject, largest_difference
from socialcli.conformance.suite import findings
from socialcli.episodes.checking.record import Seen, check
from socialcli.models.contract import LoadOptions

from ..alignment.dense import dense, random_case, random_plan
from ..conftest import tiny_model


def test_an_error_in_a_check_is_a_finding_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_subject: Subject) -> Iterator[Case]:
        yield Case("first", "passed", "")
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr(spans, "spans", broken)
    found = list(findings(tiny_model("internvl3"), LoadOptions(""), ["spans", "refusals"]))
    refusals, spans_found = ([one for one in found if one.check == name] for name in ("refusals", "spans"))
    assert [(one.case, one.status) for one in spans_found] == [("first", "passed"), ("after first", "failed")]
    assert spans_found[-1].detail == "ZeroDivisionError: by zero"
    assert {one.status for one in refusals} == {"passed"}


class Weaker(Subject):
    """Aligns with less than the strength that is asked of it."""

    def logits(self, asked: Sequence[Any], alignment: Alignment | None = None) -> torch.Tensor:
        return super().logits(asked, None if alignment is None else replace(alignment, alpha=0.9 * alignment.alpha))


def test_an_alignment_that_is_not_the_formulas_fails_on_each_kind_of_layer() -> None:
    cases = list(dense_check.dense(Weaker(tiny_model("llava-next-video"), LoadOptions(""))))
    assert [one.status for one in cases] == ["failed", "failed"]
    assert "the alignment of layers 0-3 is not exact" in cases[0].detail


class Noisy(Subject):
    """Changes the logits whenever it aligns, whatever the strength."""

    def logits_under(self, asked: Sequence[Any], conditions: Sequence[Alignment | None]) -> list[torch.Tensor]:
        found = super().logits_under(asked, conditions)
        return [one if condition is None else one + 1e-4 for one, condition in zip(found, conditions, strict=True)]


def test_an_alignment_that_always_changes_something_fails_with_strength_0() -> None:
    cases = list(forwards.alpha_0(Noisy(tiny_model("llava-next-video"), LoadOptions(""))))
    assert [one.status for one in cases] == ["failed", "failed"]


def test_other_tokens_than_those_of_generate_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwards, "greedy_ids", lambda _, state: [[7]] * len(state.logits))
    cases = list(forwards.generate(Subject(tiny_model("llava-next-video"), LoadOptions(""))))
    assert {one.status for one in cases} == {"failed"}
    assert cases[0].detail.startswith("tokens [7], where `generate` gives [")


@pytest.mark.parametrize(("difference", "status"), [(0.5, "passed"), (1.0, "passed"), (1.1, "failed")])
def test_a_difference_is_held_against_its_tolerance(difference: float, status: str) -> None:
    assert compared("case", difference, 1.0, "look here").status == status


def test_not_a_number_is_no_agreement() -> None:
    case = compared("case", math.nan, 1.0, "look here")
    assert case.status == "failed"
    assert case.detail.endswith("look here")


def test_differences_are_relative_to_large_logits_only() -> None:
    assert largest_difference(torch.tensor([20.0, 1.0]), torch.tensor([20.0, 1.5])) == pytest.approx(0.5 / 20)
    assert largest_difference(torch.tensor([0.25, 0.5]), torch.tensor([0.25, 0.25])) == pytest.approx(0.25)


def test_every_check_has_its_function() -> None:
    for one in CHECKS:
        assert callable(one.cases)


@pytest.mark.parametrize("rounds", [1, 4])
def test_the_scene_is_an_episode_like_any_other(rounds: int) -> None:
    record = noise_episode(noise_frames(count=3), rounds).to_record()
    assert check(record, 1, Seen()) == []


@pytest.mark.parametrize("rule", ["published", "floored"])
@pytest.mark.parametrize("threshold", [0.0, 0.065])
def test_the_reference_is_that_of_the_tests_of_the_alignment(rule: str, threshold: float) -> None:
    case, plan = random_case(), random_plan(range(12, 20), range(2, 10))
    expected, active = dense(case, [plan], threshold=threshold, rule=rule)
    assert active.any() and (threshold == 0 or not active.all())
    reference = DenseAlignment(plan, {3}, threshold, alpha=1.0, floored=rule == "floored")
    module: Any = SimpleNamespace(layer_idx=3, parameters=lambda: iter([case.query]))
    output, _ = reference.attend(module, case.query, case.key, case.value, case.visible, scaling=case.scale)
    assert torch.allclose(output.transpose(1, 2).double(), expected, atol=1e-6)
    module.layer_idx = 2
    plain, _ = reference.attend(module, case.query, case.key, case.value, None, scaling=case.scale)
    assert not torch.allclose(output, plain, atol=1e-3)
