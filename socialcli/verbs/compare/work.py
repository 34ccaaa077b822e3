"""Two conditions on the same questions, held against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socialcli.stats.gold import Labels, Relabelling
from socialcli.stats.paired import ComparedRow, compared_table
from socialcli.stats.pairing import Pairing, pair_up
from socialcli.verbs.compare.conditions import Side
from socialcli.verbs.compare.differences import differences


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of holding two sides against each other."""

    a: Side
    b: Side
    differing: Mapping[str, tuple[Any, Any]]  # settings, with their values under A and B
    pairing: Pairing
    table: tuple[ComparedRow, ...]
    warnings: tuple[str, ...]


def compare(a: Side, b: Side, labels: Labels | None = None) -> Comparison:
    """Hold two sides against each other, with right answers from `labels` where given.

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
    told = tuple(dict.fromkeys((*warnings, *pairing.warnings)))  # both sides can be of one source
    return Comparison(a, b, differences(a, b), pairing, tuple(compared_table(pairing.pairs)), told)
