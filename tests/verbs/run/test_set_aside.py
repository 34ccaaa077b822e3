"""Which earlier answers of a run are set aside, because their questions failed."""

from __future__ import annotations

from typing import Any

import pytest

from socialcli.results.predictions import STRENGTH
from socialcli.verbs.run.set_aside import FailedQuestions

from ...results.samples import failed, plain, prediction

ASKED: dict[str, Any] = {"alignment": True, "alpha": 1.0, "lambda_": 5e-5, "layers": "1-2", "bias": "published"}
OTHERS: dict[str, Any] = {
    "alpha": 2.0,
    "lambda_": 0.1,
    "layers": "3",
    "bias": "floored",
    "heads": "0" * 16,
    "max_heads": 4,
    "heads_by": "random",
    "heads_seed": 1,
    "steer": "both-ways",
    "balance": 0.25,
    "regions": "model",
    "region_share": 0.4,
    "perturbation": "jitter",
    "level": 0.5,
    "perturbation_seed": 1,
}


def test_the_answers_of_a_failed_question_are_found_by_id_condition_and_order() -> None:
    found = FailedQuestions()
    found.add(failed(**ASKED))
    found.add(plain(question_id="q2"))
    assert found.includes(prediction())
    assert not any(map(found.includes, (plain(), prediction(question_id="q2"), prediction(order=1))))


@pytest.mark.parametrize("name", STRENGTH)
def test_another_strength_is_another_condition(name: str) -> None:
    found = FailedQuestions()
    found.add(failed(**ASKED))
    assert not found.includes(prediction(**{name: OTHERS[name]}))
