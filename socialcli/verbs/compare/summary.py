"""What `socialcli compare` prints: the two sides, their differing settings and a short table; or one JSON object."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from socialcli.stats.notes import alike_pairs, few_episodes, low_power
from socialcli.stats.paired import ComparedRow
from socialcli.text_table import label, laid_out, p_value, percent, points, points_interval
from socialcli.verbs.compare.conditions import Side
from socialcli.verbs.compare.differences import known_by_manifest
from socialcli.verbs.compare.work import Comparison

_HASH_DIGITS = 8
_ORDERS = "n counts pairs of answers, one for each order of a question's candidates; circular: right in every order"
_TEST = "p: signs flipped by episode, exact"
_MCNEMAR = "McNemar p takes the questions of an episode to be independent"


_Figure = tuple[tuple[str, ...], Callable[..., str]]  # fields of a row, and the text of their values
_FIGURES: dict[str, _Figure] = {
    "n": (("n",), str),
    "A": (("accuracy_a",), percent),
    "B": (("accuracy_b",), percent),
    "B - A": (("difference",), points),
    "95% interval": (("ci_low", "ci_high"), points_interval),
    "only A": (("only_a",), str),
    "only B": (("only_b",), str),
    "p": (("p",), p_value),
    "McNemar p": (("p_mcnemar",), p_value),
}
# A table of its own, with `--permute`.
_CIRCULAR: dict[str, _Figure] = {
    "questions": (("questions",), label),
    "circular A": (("circular_a",), percent),
    "circular B": (("circular_b",), percent),
    "B - A": (("circular_difference",), points),
    "95% interval": (("circular_ci_low", "circular_ci_high"), points_interval),
    "p": (("circular_p",), p_value),
    "position bias A": (("position_bias_a",), percent),
    "position bias B": (("position_bias_b",), percent),
}
# Shown if some row has any.
_COUNTS: dict[str, _Figure] = {
    "failed A": (("failed_a",), str),
    "failed B": (("failed_b",), str),
    "unparsed A": (("unparsed_a",), str),
    "unparsed B": (("unparsed_b",), str),
    "unlabelled": (("unlabelled",), str),
    "one candidate": (("single_candidate",), str),
}
HEADINGS = {
    **{name: name for name in ("task", "dataset", "split")},
    **{fields[0]: heading for heading, (fields, _) in (*_FIGURES.items(), *_COUNTS.items(), *_CIRCULAR.items())},
}
"""The headings of the text table by the first field below them."""


def comparison_lines(comparison: Comparison) -> str:
    """The comparison as text, without a newline at its end; accuracies in percent, differences in percentage points.

    Notes below the table name the tests, and the rows whose statistics few episodes weaken.
    """
    head = (f"A: {comparison.a}", f"B: {comparison.b}", _differing(comparison))
    rows = comparison.table
    circular = [_table(rows, _CIRCULAR), _ORDERS] if any(row.questions is not None for row in rows) else []
    tests = f"{_TEST}; {_MCNEMAR}" if any(row.p_mcnemar is not None for row in rows) else _TEST
    return "\n".join(
        [*head, "", _table(rows), *circular, tests, *few_episodes(rows), *alike_pairs(rows), *low_power(rows)]
    )


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


def _table(rows: Sequence[ComparedRow], own: Mapping[str, _Figure] | None = None) -> str:
    """The table of the accuracies, or of the figures that are its `own`."""
    labels = ["task", *(name for name in ("dataset", "split") if len({getattr(row, name) for row in rows}) > 1)]
    counts = {name: one for name, one in _COUNTS.items() if any(getattr(row, one[0][0]) for row in rows)}
    figures = {**_FIGURES, **counts} if own is None else own
    lines = [[*labels, *figures]]
    for row in rows:
        cells = (text(*(getattr(row, name) for name in fields)) for fields, text in figures.values())
        lines.append([*(label(getattr(row, name)) for name in labels), *cells])
    return laid_out(lines, len(labels))


def _side(side: Side) -> dict[str, Any]:
    return {"folder": str(side.source.path), "condition": side.condition.as_record()}


def _differing(comparison: Comparison) -> str:
    values = [_values(name, *pair) for name, pair in comparison.differing.items()]
    partly = "" if known_by_manifest(comparison.a, comparison.b) else ", as far as the rows show"
    return f"settings that differ{partly}: {', '.join(values) or 'none'}"


def _values(name: str, one: Any, other: Any) -> str:
    return f"{name} ({_value(name, one)}, {_value(name, other)})"


def _value(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value))
    return label(value)[:_HASH_DIGITS] if name.endswith("sha256") else label(value)
