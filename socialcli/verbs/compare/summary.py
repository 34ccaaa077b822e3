"""What `socialcli compare` prints: the two sides, in what they differ, and a short table; or one JSON object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from socialcli.stats.notes import alike_pairs, few_episodes, low_power
from socialcli.stats.paired import ComparedRow
from socialcli.text_table import label, laid_out, p_value, percent
from socialcli.verbs.compare.conditions import Side
from socialcli.verbs.compare.differences import known_by_manifest
from socialcli.verbs.compare.work import Comparison

_Cell = Callable[[ComparedRow], str]

_HASH_DIGITS = 8
_TESTS = "p: signs flipped by episode, exact; McNemar p takes the questions of an episode to be independent"

_FIGURES: dict[str, _Cell] = {
    "n": lambda row: str(row.n),
    "A": lambda row: percent(row.accuracy_a),
    "B": lambda row: percent(row.accuracy_b),
    "B - A": lambda row: _points(row.difference),
    "95% interval": lambda row: _points_interval(row.ci_low, row.ci_high),
    "only A": lambda row: str(row.only_a),
    "only B": lambda row: str(row.only_b),
    "p": lambda row: p_value(row.p),
    "McNemar p": lambda row: p_value(row.p_mcnemar),
}
# Shown where there are any.
_COUNTS: dict[str, Callable[[ComparedRow], int]] = {
    "failed A": lambda row: row.failed_a,
    "failed B": lambda row: row.failed_b,
    "unparsed A": lambda row: row.unparsed_a,
    "unparsed B": lambda row: row.unparsed_b,
    "unlabelled": lambda row: row.unlabelled,
    "one candidate": lambda row: row.single_candidate,
}


def comparison_lines(comparison: Comparison) -> str:
    """The comparison as text, without a newline at its end; accuracies in percent, differences in points of it.

    Below the table stands which test is which, and where few episodes weaken the statistics.
    """
    head = (f"A: {comparison.a}", f"B: {comparison.b}", _differing(comparison))
    rows = comparison.table
    return "\n".join([*head, "", _table(rows), _TESTS, *few_episodes(rows), *alike_pairs(rows), *low_power(rows)])


def comparison_record(comparison: Comparison) -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "a": _side(comparison.a),
        "b": _side(comparison.b),
        "differing": {name: list(values) for name, values in comparison.differing.items()},
        "only_in_a": comparison.pairing.only_a,
        "only_in_b": comparison.pairing.only_b,
        "warnings": list(comparison.warnings),
        "tasks": [row.as_record() for row in comparison.table],
    }


def _table(rows: Sequence[ComparedRow]) -> str:
    labels = ["task", *(name for name in ("dataset", "split") if len({getattr(row, name) for row in rows}) > 1)]
    counts = [name for name, count in _COUNTS.items() if any(map(count, rows))]
    lines = [[*labels, *_FIGURES, *counts]]
    for row in rows:
        named = [label(getattr(row, name)) for name in labels]
        lines.append(
            [*named, *(cell(row) for cell in _FIGURES.values()), *(str(_COUNTS[name](row)) for name in counts)]
        )
    return laid_out(lines, len(labels))


def _side(side: Side) -> dict[str, Any]:
    return {"folder": str(side.source.path), "condition": side.condition.as_record()}


def _differing(comparison: Comparison) -> str:
    values = [_values(name, *pair) for name, pair in comparison.differing.items()]
    partly = "" if known_by_manifest(comparison.a, comparison.b) else ", as far as the rows tell"
    return f"settings that differ{partly}: {', '.join(values) or 'none'}"


def _values(name: str, one: Any, other: Any) -> str:
    return f"{name} ({_value(name, one)}, {_value(name, other)})"


def _value(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value))
    return label(value)[:_HASH_DIGITS] if name.endswith("sha256") else label(value)


def _points(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:+.1f}"


def _points_interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{_points(low)} to {_points(high)}"
