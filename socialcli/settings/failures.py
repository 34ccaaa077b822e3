"""How many failed rows a run may end with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialcli.errors import UsageError

if TYPE_CHECKING:
    from fractions import Fraction

PATTERN = r"^([0-9]+|[0-9]+(\.[0-9]+)?%)$"
_FAILURE_LIMIT = re.compile(r"([0-9]+)|([0-9]+(?:\.[0-9]+)?)%")


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """The limit of `--max-failures`: `allowed` rows, or that share of all."""

    allowed: Fraction  # rows, or a share between 0 and 1
    is_share: bool

    @classmethod
    def parse(cls, text: str | None) -> FailureLimit:
        """Read "5" (rows) or "2.5%" (of all rows); None allows no failure. Raises UsageError for anything else."""
        from fractions import Fraction  # here: `--help` does without

        if text is None:
            return cls(Fraction(0), is_share=False)
        match = _FAILURE_LIMIT.fullmatch(text)
        if match is None:
            raise UsageError(f"--max-failures {text!r} is no limit: write a number of rows (5) or a share of them (2%)")
        count, percent = match.groups()
        if count is not None:
            return cls(Fraction(count), is_share=False)
        if Fraction(percent) > 100:
            raise UsageError(f"--max-failures {text!r} is more than all of the rows: write 0% to 100%")
        return cls(Fraction(percent) / 100, is_share=True)

    def exceeded(self, failed: int, total: int) -> bool:
        """Whether `failed` of `total` rows are more than the limit allows."""
        return failed > (self.allowed * total if self.is_share else self.allowed)
