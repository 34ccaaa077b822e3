"""(torch) Runs the checks on an adapter."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from socialcli.conformance.checks import CHECKS, Check, Finding
from socialcli.conformance.subject import Subject
from socialcli.errors import UnknownNameError
from socialcli.models.contract import Adapter, LoadOptions, ModelSpec

_log = logging.getLogger(__name__)


def check_checkpoint(spec: ModelSpec, checkpoint: str | Path, only: Collection[str] = ()) -> list[Finding]:
    """Load a checkpoint in float32 and run the checks named in `only`, by default all: what a plug-in's test calls.

    Raises CheckpointError where the checkpoint cannot be loaded, UnknownNameError for a name in `only`.
    """
    options = LoadOptions(str(checkpoint), dtype="float32")
    return list(findings(spec.load_checked(options), options, only))


def findings(adapter: Adapter, options: LoadOptions, only: Collection[str] = ()) -> Iterator[Finding]:
    """Run the checks on an adapter that was loaded with `options`; each finding as soon as it is there.

    Raises UnknownNameError for a name in `only`.
    """
    subject = Subject(adapter, options)
    for check in named_checks(only):
        _log.info("%s: %s", check.name, check.proves)
        yield from _run(check, subject)


def named_checks(only: Collection[str]) -> Sequence[Check]:
    """The checks with these names, all if there are none. Raises UnknownNameError."""
    known = [check.name for check in CHECKS]
    for name in only:
        if name not in known:
            raise UnknownNameError("check", name, known)
    return [check for check in CHECKS if not only or check.name in only]


def _run(check: Check, subject: Subject) -> Iterator[Finding]:
    """The findings of one check. An error in it, of whatever kind, is a finding: the adapter may be someone's first."""
    case = "start"
    try:
        for one in check.cases(subject):
            case = f"after {one.name}"
            yield Finding(check.name, one.name, one.status, one.detail)
    except Exception as error:
        _log.debug("raised in %s", check.name, exc_info=error)
        yield Finding(check.name, case, "failed", f"{type(error).__name__}: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:500]
