"""The folder of `socialcli sweep`, and sweep.json in it: what was asked, which setting is the best, how it ended.

sweep.json is written when a sweep starts (outcome "running") and again when it ends, whole each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.files import write_json
from socialcli.runs.choice import Choice
from socialcli.runs.folder import ResultFolder
from socialcli.runs.grid import OPTIONS, Grid, Setting, SweptOption
from socialcli.runs.manifest import Manifest
from socialcli.runs.splits import Splits

SWEEP_VERSION = "1.0"

# Of the settings of a run: the others are what a sweep goes through, or are not asked of it.
SETTINGS = (
    *("episodes", "model", "tasks", "checkpoint", "revision", "allow_links", "adapter", "merge"),
    *("inputs", "boxes_as", "context", "frames", "frame_fit", "positions", "max_pixels", "box_gap"),
    *(
        "answer",
        "batch_size",
        "workers",
        "device",
        "dtype",
        "attn",
        "limit",
        "media_root",
        "max_failures",
        "min_coverage",
    ),
)

# Of sweep.json. What is not a sweep's own means what it means in run.json.
FIELDS = (
    *("sweep_version", "outcome", "exit_code", "started", "finished", "seconds", "command", "settings", "grid"),
    *(
        "combinations",
        "conditions",
        "splits",
        "model",
        "input_sha256",
        "counts",
        "coverage",
        "best",
        "problems",
        "warnings",
    ),
    *("versions", "platform"),
)


@dataclass(frozen=True, slots=True)
class SweepFolder(ResultFolder):
    """The folder of `socialcli sweep`."""

    @property
    def predictions(self) -> Path:
        """A row per question and setting: see `socialcli.runs.predictions`."""
        return self.path / "predictions.parquet"

    @property
    def accuracy(self) -> Path:
        """A row per model, task, dataset, split and setting: see `socialcli.runs.accuracy`."""
        return self.path / "accuracy.parquet"

    @property
    def manifest(self) -> Path:
        """What was asked, what is the best, and how it ended."""
        return self.path / "sweep.json"

    def plot(self, option: SweptOption) -> Path:
        """Accuracy against the values of an option: see `socialcli.plots.sweep`."""
        return self.path / f"{option}.png"

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them; and a run's manifest, which says nothing about predictions that replace the run's own."""
        plots = (self.plot(option) for option in OPTIONS)
        return self.predictions, self.accuracy, self.manifest, *plots, self.path / "run.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The content of sweep.json; docs/sweep.md explains every field."""

    manifest: Manifest  # what a sweep has in common with a run
    grid: Grid
    settings: Sequence[Setting]  # that every question was asked under, the plain model first
    splits: Splits
    best: Sequence[Choice] = ()

    def as_record(self) -> dict[str, Any]:
        """The content as JSON values."""
        record = self.manifest.as_record()
        own = {
            "sweep_version": SWEEP_VERSION,
            "settings": {name: record["settings"][name] for name in SETTINGS},
            "grid": self.grid.as_record(),
            "combinations": self.grid.combinations,
            "conditions": [setting.as_record() for setting in self.settings],
            "splits": {"validation": self.splits.validation, "test": list(self.splits.test)},
            "best": [choice.as_record() for choice in self.best],
        }
        record |= own
        return {name: record[name] for name in FIELDS}


def write_sweep(path: Path, sweep: Sweep) -> None:
    """Write sweep.json, whole or not at all. Raises OSError where it cannot be written."""
    write_json(path, sweep.as_record())
