"""Which annotation errors a stress test makes: kinds, each with its levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from socialcli.errors import UsageError
from socialcli.perturbation.kinds import KINDS, PerturbationKind, find_kind
from socialcli.perturbation.perturbation import Perturbation


@dataclass(frozen=True, slots=True)
class KindLevels:
    """A kind of annotation error with the levels to test, ascending and above 0. Level 0 is tested in any case."""

    kind: PerturbationKind
    levels: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ErrorLevels:
    """The annotation errors of a stress test, and the seed that they are drawn with."""

    kinds: tuple[KindLevels, ...]
    seed: int = 0

    def perturbations(self) -> Iterator[Perturbation]:
        """Every kind at every level above 0."""
        for tested in self.kinds:
            for level in tested.levels:
                yield Perturbation(tested.kind.name, level, self.seed)

    def as_record(self) -> list[dict[str, Any]]:
        """The kinds as JSON values."""
        return [{"kind": one.kind.name, "unit": one.kind.unit, "levels": [0.0, *one.levels]} for one in self.kinds]


def tested_errors(texts: Sequence[str], seed: int = 0) -> ErrorLevels:
    """The errors that values of `--kind` name, NAME or NAME=L,L,...; without any, all kinds at their default levels.

    A kind named several times is tested at all levels given. Raises UnknownNameError for an unknown kind, UsageError
    for a level that is no number or that the kind does not have.
    """
    found: dict[str, set[float]] = {}
    for text in texts:
        name, equals, listed = text.partition("=")
        kind = find_kind(name.strip())
        levels = _levels(kind, listed) if equals else kind.levels
        found.setdefault(kind.name, set()).update(levels)
    wanted = found or {kind.name: set(kind.levels) for kind in KINDS}
    kinds = (KindLevels(kind, tuple(sorted(wanted[kind.name]))) for kind in KINDS if kind.name in wanted)
    return ErrorLevels(tuple(kinds), seed)


def _levels(kind: PerturbationKind, listed: str) -> list[float]:
    try:
        levels = [float(part) for part in listed.split(",")]
    except ValueError as error:
        raise UsageError(f"--kind {kind.name}={listed}: write levels as numbers with commas between them") from error
    for level in levels:
        kind.check(level)
    above = [level for level in levels if level]
    if not above:
        raise UsageError(f"--kind {kind.name}={listed}: level 0 is tested in any case; name a level above it")
    return above
