"""The folder of `socialcli stress`, and its stress.json: what was asked, how far the alignment helps, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from socialcli.jobs.lifecycle import Ending
from socialcli.perturbation.kinds import KINDS
from socialcli.results.folder import STRESS_MANIFEST, SWEEP_MANIFEST, OutputFolder
from socialcli.results.manifest import Manifest
from socialcli.results.predictions import Prediction
from socialcli.verbs.run.status import RunStatus
from socialcli.verbs.stress.levels import ErrorLevels
from socialcli.verbs.stress.limits import Limit
from socialcli.verbs.stress.settings import SETTINGS

STRESS_VERSION = "1.0"

# The fields of stress.json; those that run.json has too mean the same.
FIELDS = (
    *("stress_version", "outcome", "exit_code", "started", "finished", "seconds", "command", "settings", "seed"),
    *("kinds", "limits", "model", "input_sha256", "counts", "coverage", "stages", "problems", "warnings"),
    *("versions", "platform"),
)
_FIGURES = tuple(kind.name for kind in KINDS)


@dataclass(frozen=True, slots=True)
class StressFolder(OutputFolder):
    """The folder of `socialcli stress`: a run's with annotation errors as conditions, and with another manifest."""

    @property
    def kind(self) -> str:
        """The word for it."""
        return "stress test"

    @property
    def manifest(self) -> Path:
        """stress.json: see `Stress`."""
        return self.path / STRESS_MANIFEST

    @property
    def table(self) -> Path:
        """stress.parquet: see `socialcli.verbs.stress.table`."""
        return self.path / "stress.parquet"

    @property
    def plots(self) -> list[Path]:
        """The existing pictures, one for each kind: see `socialcli.verbs.stress.plot`."""
        return [path for path in self.figures(*_FIGURES) if path.exists()]

    @property
    def foreign(self) -> tuple[Path, ...]:
        """The manifests of a run and of a sweep; they would describe predictions that no longer exist."""
        return self.path / "run.json", self.path / SWEEP_MANIFEST

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        named = self.predictions, self.accuracy, self.table, self.manifest, self.inputs, self.set_aside
        return *named, *self.figures(*_FIGURES), *self.part_files(), *self.foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """The content of stress.json; docs/stress.md explains every field."""

    manifest: Manifest  # what a stress test has in common with a run
    errors: ErrorLevels
    limits: Sequence[Limit] = ()

    def leaves_out(self, row: Prediction) -> bool:
        """Whether an earlier row is out of scope: with an error that is not tested now."""
        tested = {(one.kind, one.level, one.seed) for one in self.errors.perturbations()}
        own = row.perturbation, row.level, row.perturbation_seed
        return row.perturbation is not None and own not in tested

    def as_record(self) -> dict[str, Any]:
        """The content as JSON values."""
        record = self.manifest.as_record()
        record |= {
            "stress_version": STRESS_VERSION,
            "settings": {name: record["settings"][name] for name in SETTINGS},
            "seed": self.errors.seed,
            "kinds": self.errors.as_record(),
            "limits": [limit.as_record() for limit in self.limits],
        }
        return {name: record[name] for name in FIELDS}


@dataclass
class StressStatus:
    """Where a stress test stands, as stress.json says it."""

    run: RunStatus
    stress: Stress

    def manifest(self, ending: Ending | None) -> Stress:
        """The content of stress.json; `ending` is None while the stress test is on."""
        return replace(self.stress, manifest=self.run.manifest(ending))

    def too_many_failed(self) -> bool:
        """Whether more answers failed than `--max-failures` allows."""
        return self.run.too_many_failed()
