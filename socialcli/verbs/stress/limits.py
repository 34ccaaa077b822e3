"""The level of an annotation error at which the alignment stops helping, in figures and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from socialcli.stats.accuracy import overall_last
from socialcli.verbs.stress.levels import ErrorLevels, KindLevels
from socialcli.verbs.stress.table import StressRow

_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Limit:
    """How far the alignment bears one kind of error: `rows` are those of one task, by level, 0 first."""

    tested: KindLevels
    rows: Sequence[StressRow]

    @property
    def helps_up_to(self) -> float | None:
        """The level below the one at which it stops; None: there is none."""
        until = [row.level for row in self.rows if self.stops_at is None or row.level < self.stops_at]
        return until[-1] if until else None

    @property
    def stops_at(self) -> float | None:
        """The lowest level from which on it helps at no level; None: it helps at the highest one."""
        stop = None
        for row in reversed(self.rows):
            if row.helps:
                break
            stop = row.level
        return stop

    @property
    def hurts_from(self) -> float | None:
        """The lowest level at which it is worse than the plain model; None: at none."""
        return next((row.level for row in self.rows if row.hurts), None)

    @property
    def sentence(self) -> str:
        """The same in words."""
        kind, first, last = self.tested.kind, self.rows[0], self.rows[-1]
        unit = f"({kind.unit})"
        if self.stops_at is None:
            text = f"the alignment never stops helping within the tested levels, up to {last.level:g} {unit}"
        elif self.helps_up_to is None:
            text = "the alignment does not help even at 0"
        else:
            text = f"the alignment helps up to {self.helps_up_to:g}, and no longer from {self.stops_at:g} on {unit}"
        text = f"{kind.name}: {text}: {_gain(first)} at 0, {_gain(last)} at {last.level:g}"
        return text if self.hurts_from is None else f"{text}; it hurts at {self.hurts_from:g}"

    def as_record(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "kind": self.tested.kind.name,
            "unit": self.tested.kind.unit,
            "task": self.rows[0].task,
            "helps_up_to": self.helps_up_to,
            "stops_at": self.stops_at,
            "hurts_from": self.hurts_from,
            "sentence": self.sentence,
        }


def limits_of(rows: Sequence[StressRow], errors: ErrorLevels) -> tuple[Limit, ...]:
    """The limit of each kind, over all tasks together; kinds without a labelled question have none."""
    labelled = [row for row in rows if row.n]
    if not labelled:
        return ()
    task = max((row.task for row in labelled), key=overall_last)
    found = [
        Limit(one, [row for row in labelled if (row.perturbation, row.task) == (one.kind.name, task)])
        for one in errors.kinds
    ]
    return tuple(limit for limit in found if limit.rows)


def points(share: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    return "-" if share is None else f"{_PERCENT * share:+.1f}"


def _gain(row: StressRow) -> str:
    return f"{points(row.gain)} points ({points(row.gain_ci_low)} to {points(row.gain_ci_high)})"
