"""(torch) Asks a run's first questions again: one by one, and with plain eager attention.

Scores that change with the batch size or the attention kernel cannot be compared between set-ups. run.json records how
far they change here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from socialcli.episodes.records import Question
from socialcli.jobs.answer import Answerer
from socialcli.jobs.selection import Selection
from socialcli.results.invariance import WAYS, Change
from socialcli.results.predictions import Prediction

_log = logging.getLogger(__name__)


class InvarianceCheck:
    """Asks the first `count` questions of a run again, and records how the answers differ."""

    def __init__(self, answerer: Answerer, count: int) -> None:
        """Start with no question compared."""
        self._answerer = answerer
        self._left = count
        self._changes = {way: Change() for way in WAYS}

    def compare(self, selection: Selection, rows: Sequence[Prediction]) -> None:
        """Ask the selection's questions again, up to `count` in all; `rows` are the run's own answers."""
        questions = [question for question in selection.questions if isinstance(question, Question)][: self._left]
        if not questions:
            return
        self._left -= len(questions)
        again = replace(selection, questions=tuple(questions))
        ours = {(row.question_id, row.order, row.alignment): row for row in rows}
        for way, others in (
            ("batch_size_1", self._answerer.again(again)),
            ("eager_attention", self._answerer.again(again, eager=True)),
        ):
            pairs = [(ours[other.question_id, other.order, other.alignment], other) for other in others]
            self._changes[way] = self._changes[way].with_answers(pairs)

    def changes(self) -> Mapping[str, Change]:
        """The differences found so far, by the other set-up; they are logged as well."""
        for way, change in self._changes.items():
            moved = "no scores" if change.largest_score_change is None else f"{change.largest_score_change:.1e}"
            _log.info("%s: %d answers, largest change of a score %s", way, change.answers, moved)
            if change.changed_predictions or change.failed:
                names = ", ".join([*change.changed_predictions, *change.failed][:5])
                _log.warning("%s changes predictions: %s", way, names)
        return dict(self._changes)
