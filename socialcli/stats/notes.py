"""Notes below a table of accuracies: where its statistics are weaker than they look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from socialcli.stats.intervals import ASSUMED_CORRELATION
from socialcli.stats.signflip import least_p
from socialcli.text_table import label

FEW_EPISODES = 10  # with fewer, coverage strays from 95 %: docs/statistics.md
_LEVEL = 0.05  # at which people read a p-value
_MOST_NAMED = 6
_ASSUMED = f"the interval assumes that answers in an episode correlate by {ASSUMED_CORRELATION}"


class Counted(Protocol):
    """A row of a table: a task in a dataset and split."""

    @property
    def task(self) -> str:
        """The task."""
        ...

    @property
    def dataset(self) -> str | None:
        """The dataset."""
        ...

    @property
    def split(self) -> str | None:
        """The split."""
        ...

    @property
    def n(self) -> int:
        """Its counted questions."""
        ...

    @property
    def episodes(self) -> int:
        """Their episodes."""
        ...


class Answered(Counted, Protocol):
    """A row of an accuracy table."""

    @property
    def correct(self) -> int:
        """Its correctly answered questions."""
        ...


class Ordered(Protocol):
    """A row of an accuracy table."""

    @property
    def orders(self) -> int | None:
        """The most orders of its candidates that a question was asked in; None: one, the given one."""
        ...


class Compared(Counted, Protocol):
    """A row of a comparison."""

    @property
    def only_a(self) -> int:
        """The questions that A alone has right."""
        ...

    @property
    def only_b(self) -> int:
        """The questions that B alone has right."""
        ...

    @property
    def episodes_differing(self) -> int:
        """The episodes in which the sides have different numbers right."""
        ...


def few_episodes(rows: Sequence[Counted]) -> Iterator[str]:
    """Lines naming the rows whose interval is rough or missing because there are few episodes."""
    found = [row for row in rows if row.n]
    name = _naming(found)
    single = [name(row) for row in found if row.episodes == 1]
    if single:
        yield f"no interval for {_listed(single)}: all questions are of a single episode"
    few = [f"{name(row)} ({row.episodes} episodes)" for row in found if 1 < row.episodes < FEW_EPISODES]
    if few:
        yield f"rough intervals for {_listed(few)}: with fewer than {FEW_EPISODES} episodes, 95 % is approximate"


def alike_answers(rows: Sequence[Answered]) -> Iterator[str]:
    """A line naming the rows in which all answers are right, or all are wrong."""
    alike = [row for row in rows if row.n and row.correct in (0, row.n) and row.episodes > 1]
    if alike:
        yield f"all right or all wrong in {_listed(map(_naming(rows), alike))}: {_ASSUMED}"


def several_orders(rows: Sequence[Ordered]) -> Iterator[str]:
    """A line that says what is counted where questions were asked in several orders of their candidates."""
    most = max((row.orders for row in rows if row.orders is not None), default=None)
    if most is not None:
        yield f"n counts answers, up to {most} a question, one for each order; circular: right in every order"


def alike_pairs(rows: Sequence[Compared]) -> Iterator[str]:
    """A line naming the rows in which no question differs, or all differ in the same direction."""
    alike = [
        row
        for row in rows
        if row.n and row.episodes > 1 and (row.only_a + row.only_b == 0 or row.n in (row.only_a, row.only_b))
    ]
    if alike:
        names = _listed(map(_naming(rows), alike))
        yield f"no question differs, or all differ in the same direction, in {names}: {_ASSUMED}"


def low_power(rows: Sequence[Compared]) -> Iterator[str]:
    """A line naming the rows with so few differing episodes that p cannot be small."""
    weak = [row for row in rows if row.n and row.episodes_differing and least_p(row.episodes_differing) > _LEVEL]
    name = _naming(rows)
    found = [f"{name(row)} ({least_p(row.episodes_differing):.3g})" for row in weak]
    if found:
        yield f"smallest p possible with so few differing episodes: {_listed(found)}"


def _naming(rows: Iterable[Counted]) -> Callable[[Counted], str]:
    """A function that names a row by its task, and by its dataset and split if there are several."""
    rows = list(rows)
    several = [name for name in ("dataset", "split") if len({getattr(row, name) for row in rows}) > 1]
    return lambda row: ", ".join([row.task, *(label(getattr(row, name)) for name in several)])


def _listed(names: Iterable[str]) -> str:
    found = list(dict.fromkeys(names))
    more = [f"{len(found) - _MOST_NAMED} more"] if len(found) > _MOST_NAMED else []
    return "; ".join([*found[:_MOST_NAMED], *more])
