"""The folder of `socialcli sweep`, and its sweep.json: what was asked, which setting is best, how the sweep ended.

sweep.json is written atomically when a sweep starts (outcome "running"), as it proceeds, and when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.jobs.grid import OPTIONS, Grid, Setting, setting_of
from socialcli.jobs.splits import Splits
from socialcli.results.folder import STRESS_MANIFEST, SWEEP_MANIFEST, OutputFolder
from socialcli.results.manifest import Manifest
from socialcli.results.predictions import Prediction
from socialcli.verbs.sweep.choice import RULE, Choice
from socialcli.verbs.sweep.reproduction import run_command
from socialcli.verbs.sweep.settings import SETTINGS

SWEEP_VERSION = "1.0"

ACTIVE_HEADS = "active_heads"
FIGURE_NAMES = (*OPTIONS, ACTIVE_HEADS)  # accuracy against the values of each option, and against the active heads

# The fields of sweep.json; those that run.json has too mean the same.
FIELDS = (
    *("sweep_version", "outcome", "exit_code", "started", "finished", "seconds", "command", "settings", "grid"),
    *("combinations", "conditions", "asked", "splits", "model", "input_sha256", "counts", "coverage", "rule", "best"),
    *("problems", "warnings", "versions", "platform"),
)


@dataclass(frozen=True, slots=True)
class SweepFolder(OutputFolder):
    """The folder of `socialcli sweep`: a run's with settings as conditions, and with another manifest."""

    @property
    def kind(self) -> str:
        """The word for it."""
        return "sweep"

    @property
    def manifest(self) -> Path:
        """sweep.json: see `Sweep`."""
        return self.path / SWEEP_MANIFEST

    @property
    def plots(self) -> list[Path]:
        """The existing pictures."""
        return [path for path in self.figures(*FIGURE_NAMES) if path.exists()]

    @property
    def foreign(self) -> tuple[Path, ...]:
        """The manifests of a run and of a stress test; they would describe predictions that no longer exist."""
        return self.path / "run.json", self.path / STRESS_MANIFEST

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        named = self.predictions, self.accuracy, self.manifest, self.inputs, self.set_aside
        return *named, *self.figures(*FIGURE_NAMES), *self.part_files(), *self.foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The content of sweep.json; docs/sweep.md explains every field."""

    manifest: Manifest  # what a sweep has in common with a run
    grid: Grid
    settings: Sequence[Setting]  # under which every question is asked, the plain model first
    splits: Splits
    best: Sequence[Choice] = ()
    asked: int | None = None  # settings under which the model was asked; None: not known yet

    def leaves_out(self, row: Prediction) -> bool:
        """Whether an earlier row is out of scope: of a setting not in the grid, or of a split that is not asked."""
        return setting_of(row) not in self.settings or row.split not in self.splits.asked

    def runs(self, choice: Choice) -> list[str]:
        """The commands that ask the chosen setting alone again, one for each test split it is reported on."""
        settings = self.manifest.settings
        return [run_command(settings, choice.setting, choice.tasks, one.split) for one in choice.test]

    def as_record(self) -> dict[str, Any]:
        """The content as JSON values."""
        record = self.manifest.as_record()
        own = {
            "sweep_version": SWEEP_VERSION,
            "settings": {name: record["settings"][name] for name in SETTINGS},
            "grid": self.grid.as_record(),
            "combinations": self.grid.combinations,
            "conditions": [setting.as_record() for setting in self.settings],
            "asked": self.asked,
            "splits": self.splits.as_record(),
            "rule": RULE if self.splits.validation is not None else None,
            "best": [{**choice.as_record(), "runs": self.runs(choice)} for choice in self.best],
        }
        record |= own
        return {name: record[name] for name in FIELDS}


def settings_in(record: Mapping[str, Any]) -> tuple[Setting, ...] | None:
    """The settings that a sweep.json names; None if it is not of this version."""
    try:
        return tuple(Setting.from_record(condition) for condition in record["conditions"])
    except (KeyError, TypeError):
        return None
