"""Compares two conditions on the same questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socialcli.stats.gold import GoldLabels, Relabelling
from socialcli.stats.paired import ComparedRow, compared_table
from socialcli.stats.pairing import Pairing, pair_up
from socialcli.verbs.compare.conditions import Side
from socialcli.verbs.compare.differences import differences


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, compared."""

    a: Side
    b: Side
    differing: Mapping[str, tuple[Any, Any]]  # settings by name, with their values under A and B
    pairing: Pairing
    table: tuple[ComparedRow, ...]
    warnings: tuple[str, ...]


def compare(a: Side, b: Side, labels: GoldLabels | None = None) -> Comparison:
    """Compare two sides, with gold answers from `labels` if given.

    Raises what `pair_up` and reading predictions raise.
    """
    warnings = [*a.source.warnings(), *b.source.warnings()]
    if (a.source.path, a.condition) == (b.source.path, b.condition):
        warnings.append("A and B are the same answers")
    if labels is None:
        pairing = pair_up(a.rows(), b.rows())
    else:
        of_a, of_b = Relabelling(labels), Relabelling(labels)
        pairing = pair_up(of_a.rows(a.rows()), of_b.rows(b.rows()))
        lost = [f"{side}: {text}" for side, one in (("A", of_a), ("B", of_b)) for text in one.warnings()]
        warnings += [*labels.warnings(), *lost]
    distinct = tuple(dict.fromkeys((*warnings, *pairing.warnings)))  # both sides can have the same source
    return Comparison(a, b, differences(a, b), pairing, tuple(compared_table(pairing.pairs)), distinct)
