"""When a run checks itself, gives up a question, or stops."""

from __future__ import annotations

from dataclasses import dataclass, field

from socialcli.settings.failures import PATTERN, FailureLimit
from socialcli.settings.fields import check_settings, setting


def _check_min_coverage(text: str) -> None:
    from socialcli.episodes.coverage.record import parse_min_coverage  # here: `--help` does without

    parse_min_coverage(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """The limits of a run. Raises UsageError for a value out of range."""

    check_invariance: int = field(
        default=0,
        metadata=setting(
            least=0,
            metavar="K",
            free=True,
            help="Ask the first K questions again, one by one and with eager attention; run.json lists what changes.",
        ),
    )
    timeout_per_question: float | None = field(
        default=None,
        metadata=setting(
            above=0,
            unit="seconds",
            metavar="SECONDS",
            free=True,
            otherwise="no limit",
            help="Stop a question that takes longer; its row is a failure with this reason.",
        ),
    )
    max_failures: str | None = field(
        default=None,
        metadata=setting(
            metavar="N|P%",
            free=True,
            check=FailureLimit.parse,
            pattern=PATTERN,
            otherwise="ask everything, and exit with 3 if any failed",
            help="Stop with exit code 3 once more than N answers, or P% of all, have failed.",
        ),
    )
    min_coverage: str | None = field(
        default=None,
        metadata=setting(
            metavar="P%",
            free=True,
            check=_check_min_coverage,
            pattern=r"%\s*$",
            otherwise="warn if none has one",
            help="Exit with 4 before loading the model if fewer than P% of utterances have a box of their speaker "
            "within --box-gap. Ignored without alignment.",
        ),
    )

    def __post_init__(self) -> None:
        """Check the limits."""
        check_settings(self)
