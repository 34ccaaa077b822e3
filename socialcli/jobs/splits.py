"""The split that the best setting of a sweep is chosen on, and the splits that it is reported on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from socialcli.errors import UsageError

VALIDATION_NAMES = ("validation", "val", "valid", "dev")


@dataclass(frozen=True, slots=True)
class Splits:
    """The splits of a sweep."""

    validation: str | None  # to choose the best setting on; None: no setting is chosen
    test: tuple[str | None, ...]  # to report it on, without the validation split; None: episodes without a split
    warning: str | None = None  # why no setting can be chosen

    @property
    def asked(self) -> frozenset[str | None]:
        """The splits whose questions are asked."""
        return frozenset(self.test if self.validation is None else (self.validation, *self.test))

    def as_record(self) -> dict[str, Any]:
        """The names as JSON values."""
        return {"validation": self.validation, "test": list(self.test)}


def resolve_splits(found: Collection[str | None], validation: str | None, test: Sequence[str]) -> Splits:
    """Resolve `--validation-split` and `--test-split` for a file with the splits `found`.

    By default the validation split is the one named like one of the `VALIDATION_NAMES`, and the test splits are all
    others. Raises UsageError for a split that the file does not have, and for one named as both.
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
        why = f"it could be {' or '.join(usual)}" if usual else f"the file has: {listed}"
        warning = f"no best setting can be chosen, because no split is known to be the validation split ({why}); "
        warning += "name it with --validation-split"
    if validation is not None and validation in test:
        raise UsageError(f"--test-split {validation!r} is the validation split: what is chosen on is not reported on")
    rest = found if validation is None else [name for name in found if name != validation]  # None: no split, too
    others = sorted(rest, key=lambda name: (name is not None, name or ""))
    return Splits(validation, tuple(dict.fromkeys(test)) or tuple(others), warning)
