"""The request for a job, and the result of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.results.manifest import Manifest
from socialcli.settings.run import RunSettings
from socialcli.stats.accuracy import AccuracyRow


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What `socialcli run` was asked to do; `sweep` and `measure` add to it."""

    settings: RunSettings
    output: Path
    overwrite: bool = False  # replace the work in the folder
    command: Sequence[str] = ()  # the command line, for the manifest
    retry_failed: bool = False  # ask failed questions again, instead of keeping their rows


@dataclass(frozen=True, slots=True)
class RunResult:
    """The accuracy table of a run, and its manifest as it was written."""

    accuracy: Sequence[AccuracyRow]
    manifest: Manifest
