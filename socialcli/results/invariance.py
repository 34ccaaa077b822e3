"""How far answers change when they are computed in another way: `invariance` of run.json."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from socialcli.results.predictions import Prediction

WAYS = ("batch_size_1", "eager_attention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How far the answers computed in another way differ from the run's."""

    answers: int = 0  # pairs compared, neither of them failed
    largest_score_change: float | None = None  # of a log-probability; None: no scores to compare
    changed_predictions: tuple[str, ...] = ()  # questions
    failed: tuple[str, ...] = ()  # questions that failed in the other way

    def with_answers(self, pairs: Iterable[tuple[Prediction, Prediction]]) -> Change:
        """The change with more pairs: the run's answer, and that of the other way."""
        answers, largest = self.answers, self.largest_score_change
        changed, failed = dict.fromkeys(self.changed_predictions), dict.fromkeys(self.failed)
        for ours, other in pairs:
            if ours.status == "failed":
                continue
            if other.status == "failed":
                failed[ours.question_id] = None
                continue
            answers += 1
            places = {ours.prediction_index, other.prediction_index} - {None}  # a row of an earlier version has none
            if ours.prediction != other.prediction or len(places) > 1:
                changed[ours.question_id] = None
            if ours.scores is not None and other.scores is not None:
                moved = max(abs(a - b) for a, b in zip(ours.scores, other.scores, strict=True))
                largest = moved if largest is None else max(largest, moved)
        return Change(
            answers=answers,
            largest_score_change=largest,
            changed_predictions=tuple(changed),
            failed=tuple(failed),
        )

    def as_record(self) -> dict[str, Any]:
        """The change as JSON values."""
        record = asdict(self)
        return record | {name: list(record[name]) for name in ("changed_predictions", "failed")}
