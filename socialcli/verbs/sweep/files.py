"""The folder of `socialcli sweep`, and sweep.json in it: what was asked, which setting is the best, how it ended.

sweep.json is written when a sweep starts (outcome "running") and again when it ends, whole each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.files import write_json
from socialcli.jobs.grid import OPTIONS, Grid, Setting, SweptOption
from socialcli.jobs.splits import Splits
from socialcli.results.folder import SWEEP_MANIFEST, OutputFolder
from socialcli.results.manifest import Manifest
from socialcli.verbs.sweep.choice import Choice
from socialcli.verbs.sweep.settings import SETTINGS

SWEEP_VERSION = "1.0"

# Of sweep.json. What is not a sweep's own means what it means in run.json.
FIELDS = (
    *("sweep_version", "outcome", "exit_code", "started", "finished", "seconds", "command", "settings", "grid"),
    *("combinations", "conditions", "asked", "splits", "model", "input_sha256", "counts", "coverage", "best"),
    *("problems", "warnings", "versions", "platform"),
)


@dataclass(frozen=True, slots=True)
class SweepFolder(OutputFolder):
    """The folder of `socialcli sweep`: a run's, in which a condition is a setting, with another manifest."""

    @property
    def kind(self) -> str:
        """A sweep."""
        return "sweep"

    @property
    def manifest(self) -> Path:
        """What was asked, what is the best, and how it ended."""
        return self.path / SWEEP_MANIFEST

    def plot(self, option: SweptOption) -> Path:
        """Accuracy against the values of an option: see `socialcli.verbs.sweep.plot`."""
        return self.figure(option)

    @property
    def plots(self) -> list[Path]:
        """The pictures that are there."""
        return [path for path in self.figures(*OPTIONS) if path.exists()]

    @property
    def foreign(self) -> tuple[Path, ...]:
        """A run's manifest, which says nothing about predictions that replace the run's own."""
        return (self.path / "run.json",)

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        named = self.predictions, self.accuracy, self.manifest, self.inputs, self.set_aside
        return *named, *self.figures(*OPTIONS), *self.part_files(), *self.foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The content of sweep.json; docs/sweep.md explains every field."""

    manifest: Manifest  # what a sweep has in common with a run
    grid: Grid
    settings: Sequence[Setting]  # that every question was asked under, the plain model first
    splits: Splits
    best: Sequence[Choice] = ()
    asked: int | None = None  # of the settings, those that the model was asked under; None: not known yet

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
            "best": [choice.as_record() for choice in self.best],
        }
        record |= own
        return {name: record[name] for name in FIELDS}


def settings_in(record: Mapping[str, Any]) -> tuple[Setting, ...] | None:
    """The settings that a sweep.json says everything was asked under; None where it is not one of this version."""
    try:
        return tuple(Setting(*(condition[option] for option in OPTIONS)) for condition in record["conditions"])
    except (KeyError, TypeError):
        return None


def write_sweep(path: Path, sweep: Sweep) -> None:
    """Write sweep.json, whole or not at all. Raises OSError where it cannot be written."""
    write_json(path, sweep.as_record())
