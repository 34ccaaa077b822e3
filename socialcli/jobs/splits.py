"""On which split the best setting of a sweep is chosen, and on which it is reported."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from socialcli.errors import UsageError

VALIDATION_NAMES = ("validation", "val", "valid", "dev")


@dataclass(frozen=True, slots=True)
class Splits:
    """Where the best setting is chosen, and where it is reported."""

    validation: str | None  # None: nowhere, so that there is none
    test: tuple[str | None, ...]  # never the validation split; None stands for episodes without one
    warning: str | None = None  # why there is no validation split

    @property
    def asked(self) -> frozenset[str | None]:
        """The splits whose questions are asked."""
        return frozenset(self.test if self.validation is None else (self.validation, *self.test))

    def as_record(self) -> dict[str, Any]:
        """The names as JSON values."""
        return {"validation": self.validation, "test": list(self.test)}


def resolve_splits(found: Collection[str | None], validation: str | None, test: Sequence[str]) -> Splits:
    """What `--validation-split` and `--test-split` come to in a file with the splits `found`.

    Left out, the validation split is the one with one of the `VALIDATION_NAMES`, and the test splits are all others.
    Raises UsageError for a named split that the file does not have, and for one that is to be both.
    """
    listed = ", ".join(sorted(name or "(none)" for name in found))
    named = [("--validation-split", validation), *(("--test-split", name) for name in test)]
    for option, name in named:
        if name is not None and name not in found:
            raise UsageError(f"{option} {name!r}: no episode is of this split; the file has: {listed}")
    usual = [name for name in VALIDATION_NAMES if name in found and name not in test]
    warning = None
    if validation is None and len(usual) == 1:
        validation = usual[0]
    elif validation is None:
        why = f"{' and '.join(usual)} could each be it" if usual else f"the file has: {listed}"
        warning = f"no best setting is named, for no split is known as the validation split ({why}); "
        warning += "name it with --validation-split"
    if validation is not None and validation in test:
        raise UsageError(f"--test-split {validation!r} is the validation split: what is chosen on is not reported on")
    rest = found if validation is None else [name for name in found if name != validation]  # None: no split, too
    others = sorted(rest, key=lambda name: (name is not None, name or ""))
    return Splits(validation, tuple(dict.fromkeys(test)) or tuple(others), warning)
