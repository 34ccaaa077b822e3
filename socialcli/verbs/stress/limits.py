"""The levels of an annotation error at which the alignment helps, in figures and in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from socialcli.stats.accuracy import overall_last
from socialcli.text_table import points, points_interval
from socialcli.verbs.stress.levels import ErrorLevels, KindLevels
from socialcli.verbs.stress.table import StressRow


@dataclass(frozen=True, slots=True)
class Limit:
    """How far the alignment tolerates one kind of error: `rows` are those of one task, by level, 0 first.

    With a single episode there is no interval, and no level is known to help or to hurt: all are None.
    """

    tested: KindLevels
    rows: Sequence[StressRow]

    @property
    def known(self) -> bool:
        """Whether there are intervals to judge by."""
        return all(row.gain_ci_low is not None for row in self.rows)

    @property
    def helps_at(self) -> list[float] | None:
        """The levels at which it is better than the plain model, by more than chance explains."""
        return [row.level for row in self.rows if row.helps] if self.known else None

    @property
    def hurts_at(self) -> list[float] | None:
        """The levels at which it is worse, by more than chance explains."""
        return [row.level for row in self.rows if row.hurts] if self.known else None

    @property
    def stops_at(self) -> float | None:
        """The lowest level from which on it helps at no level; None: it helps at the highest one."""
        if self.helps_at is None:
            return None
        above = [row.level for row in self.rows if not self.helps_at or row.level > self.helps_at[-1]]
        return above[0] if above else None

    @property
    def sentence(self) -> str:
        """The same in words, with the gain at the lowest and at the highest level."""
        if self.known:
            verdict = f"the alignment {self._helps}"
        else:
            verdict = "where the alignment helps is open, since a single episode gives no interval"
        gains = ", ".join(f"{_gain(row)} at {row.level:g}" for row in (self.rows[0], self.rows[-1]))
        return f"{self.tested.kind.name} ({self.tested.kind.unit}): {verdict}; gain {gains}"

    @property
    def _helps(self) -> str:
        """Where it helps and where it hurts; levels are ranges only where help ends once and for good."""
        levels, helped = [row.level for row in self.rows], self.helps_at or []
        if not helped:
            text = "helps at no tested level, not even at 0"
        elif helped == levels:
            text = f"helps at every tested level, up to {levels[-1]:g}"
        elif helped != levels[: len(helped)]:
            without = [level for level in levels if level not in helped]
            text = f"helps at {_listed(helped, 'and')}, but not at {_listed(without, 'or')}"
        else:
            until = "at 0 only" if len(helped) == 1 else f"up to {helped[-1]:g}"
            text = f"helps {until}, and no longer from {self.stops_at:g} on"
        return f"{text}; it hurts at {_listed(self.hurts_at, 'and')}" if self.hurts_at else text

    def as_record(self) -> dict[str, Any]:
        """The figures as JSON values."""
        return {
            "kind": self.tested.kind.name,
            "unit": self.tested.kind.unit,
            "task": self.rows[0].task,
            "helps_at": self.helps_at,
            "stops_at": self.stops_at,
            "hurts_at": self.hurts_at,
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


def _gain(row: StressRow) -> str:
    interval = "" if row.gain_ci_low is None else f" ({points_interval(row.gain_ci_low, row.gain_ci_high)})"
    return f"{points(row.gain)} points{interval}"


def _listed(levels: Sequence[float], word: str) -> str:
    *others, last = (f"{level:g}" for level in levels)
    return f"{', '.join(others)} {word} {last}" if others else last
