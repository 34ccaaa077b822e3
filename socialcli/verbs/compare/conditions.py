"""The conditions of predictions, and which two of them are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from socialcli.errors import InvalidInputError, UnknownNameError, UsageError
from socialcli.results.predictions import METHOD_VALUES, PREDICTION_ARROW_SCHEMA
from socialcli.stats.accuracy import GROUP_COLUMNS, STRENGTH_COLUMNS
from socialcli.stats.sources import Source
from socialcli.text_table import label

# The columns that say how a question was asked, not which one it was.
CONDITION_COLUMNS = tuple(name for name in GROUP_COLUMNS if name not in ("task", "dataset", "split"))

_SWITCH = {"on": True, "off": False}
_MOST_LISTED = 6  # conditions in a message; a sweep has hundreds


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition: the values of its rows in the `CONDITION_COLUMNS`."""

    values: tuple[Any, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Condition:
        """The condition of a row of predictions."""
        return cls(tuple(row[name] for name in CONDITION_COLUMNS))

    def as_record(self) -> dict[str, Any]:
        """The values by column."""
        return dict(zip(CONDITION_COLUMNS, self.values, strict=True))

    @property
    def aligned(self) -> bool:
        """Whether the alignment was on."""
        return bool(self.as_record()["alignment"])

    def __str__(self) -> str:
        """The alignment and its strength, as people read it."""
        record = self.as_record()
        named = [name for name in STRENGTH_COLUMNS if record[name] not in (None, METHOD_VALUES.get(name))]
        strength = (f"{name} {record[name]}" for name in named)
        return ", ".join([f"alignment {label(self.aligned)}", *strength])


@dataclass(frozen=True, slots=True)
class Wanted:
    """The values of columns that `--condition-a` or `--condition-b` requires; none: any condition."""

    values: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def parse(cls, option: str, texts: Sequence[str]) -> Wanted:
        """Read "on", "off" (the alignment) and COLUMN=VALUE, where "-" is null. Raises UsageError otherwise."""
        return cls(tuple(_parsed(option, text) for text in texts))

    def __bool__(self) -> bool:
        """Whether any value is required."""
        return bool(self.values)

    def __str__(self) -> str:
        """As it can be written on the command line."""
        return ", ".join(f"{name}={label(value)}" for name, value in self.values)

    def fits(self, condition: Condition) -> bool:
        """Whether the condition has all the values."""
        record = condition.as_record()
        return all(record[name] == value for name, value in self.values)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison."""

    source: Source
    condition: Condition

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the condition, in their order. Raises as `read_predictions` does."""
        return (row for row in self.source.rows() if Condition.of(row) == self.condition)

    def __str__(self) -> str:
        """Where it is from, and its condition."""
        return f"{self.source.path}, {self.condition}"


def chosen_sides(a: Source, b: Source | None, wanted_a: Wanted, wanted_b: Wanted) -> list[tuple[Side, Side]]:
    """The pairs of sides to compare.

    Without `b`, conditions of `a` are compared, by default the unaligned one with the aligned one. Two sources with one
    condition each are compared, whatever these are; if both have the unaligned and the aligned one, each is compared
    with its counterpart. Anything else is ambiguous: UsageError lists the conditions to choose from. Raises
    InvalidInputError for predictions without a row, and as `read_predictions` does.
    """
    if b is None:
        found = _conditions(a)
        one = _only(a, found, wanted_a or Wanted((("alignment", False),)), "a")
        other = _only(a, found, wanted_b or Wanted((("alignment", True),)), "b")
        if one == other:
            raise UsageError(f"{a.path}: --condition-a and --condition-b are the same condition ({one})")
        return [(Side(a, one), Side(a, other))]
    of_a, of_b = _matching(a, _conditions(a), wanted_a, "a"), _matching(b, _conditions(b), wanted_b, "b")
    by_alignment_a, by_alignment_b = ({one.aligned: one for one in side} for side in (of_a, of_b))
    alike = len(by_alignment_a) == len(of_a) == len(of_b) == len(by_alignment_b) == 2
    if alike:
        return [(Side(a, by_alignment_a[aligned]), Side(b, by_alignment_b[aligned])) for aligned in (False, True)]
    return [(Side(a, _only(a, of_a, wanted_a, "a")), Side(b, _only(b, of_b, wanted_b, "b")))]


def _conditions(source: Source) -> list[Condition]:
    """The conditions in the order of their first rows."""
    found = list(dict.fromkeys(map(Condition.of, source.rows())))
    if not found:
        raise InvalidInputError(f"{source.path}: holds no predictions to compare")
    return found


def _matching(source: Source, found: Sequence[Condition], wanted: Wanted, side: str) -> list[Condition]:
    matching = [condition for condition in found if wanted.fits(condition)]
    if not matching:
        raise UsageError(
            f"{source.path}: has no condition with {wanted} for --condition-{side}; it has {_listed(found)}"
        )
    return matching


def _only(source: Source, found: Sequence[Condition], wanted: Wanted, side: str) -> Condition:
    matching = _matching(source, found, wanted, side)
    if len(matching) > 1:
        raise UsageError(
            f"{source.path}: has {len(matching)} conditions to compare: {_listed(matching)}; "
            f"choose one with --condition-{side}"
        )
    return matching[0]


def _listed(conditions: Sequence[Condition]) -> str:
    """The conditions by the columns in which they differ, and always by alignment."""
    records = [condition.as_record() for condition in conditions]
    names = [name for name in CONDITION_COLUMNS if name == "alignment" or len({item[name] for item in records}) > 1]
    shown = [_described(record, names) for record in records[:_MOST_LISTED]]
    more = [f"{len(records) - len(shown)} more"] if len(records) > len(shown) else []
    return "; ".join([*shown, *more])


def _described(record: Mapping[str, Any], names: Iterable[str]) -> str:
    values = ((name, record[name]) for name in names)
    return " ".join(f"{name}={label(value)}" for name, value in values if value is not None or record["alignment"])


def _parsed(option: str, text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=") if "=" in text else ("alignment", "=", text)
    if name not in CONDITION_COLUMNS:
        raise UsageError(f"{option} {text!r}: {UnknownNameError('column of conditions', name, CONDITION_COLUMNS)}")
    if name == "alignment":
        if value not in _SWITCH:
            raise UsageError(f"{option} {text!r}: write on, off, or COLUMN=VALUE, as in alpha=2")
        return name, _SWITCH[value]
    return name, None if value == "-" else _typed(option, name, value)


def _typed(option: str, name: str, value: str) -> str | float:
    kind = PREDICTION_ARROW_SCHEMA.field(name).type
    number = int if pa.types.is_integer(kind) else float if pa.types.is_floating(kind) else str
    try:
        return number(value)
    except ValueError:
        raise UsageError(f"{option} {name}={value}: {value!r} is not a number") from None
