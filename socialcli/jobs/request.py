"""What a run is asked to do, and what it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from socialcli.results.manifest import Manifest
from socialcli.settings.run import RunSettings
from socialcli.stats.accuracy import AccuracyRow


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What `socialcli run` was asked to do."""

    settings: RunSettings
    output: Path
    overwrite: bool = False  # begin anew in a folder that holds a run
    command: Sequence[str] = ()  # the command line, for the manifest
    retry_failed: bool = False  # ask again what failed, instead of keeping it


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run left: the accuracy table, and the manifest as it was written."""

    accuracy: Sequence[AccuracyRow]
    manifest: Manifest
