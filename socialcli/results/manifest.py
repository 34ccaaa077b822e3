"""run.json: the settings, inputs and versions of a run, and how it ended.

The manifest is written atomically when a run starts (outcome "running"), with the counts so far whenever answers have
been stored, and when it ends, so that the file is valid JSON at any time. A run was killed if its manifest still says
"running" when no process holds the folder.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Self

from socialcli.episodes.coverage.record import Coverage
from socialcli.errors import InvalidInputError
from socialcli.results.invariance import Change
from socialcli.settings.run import RunSettings

Outcome = Literal["running", "done", "failures", "stopped", "interrupted", "error"]

MANIFEST_VERSION = "1.0"
MAX_PROBLEMS = 100  # messages kept of unreadable rows; `counts.unreadable` counts them all
PACKAGES = ("socialcli", "torch", "transformers", "peft", "pyarrow", "av", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIdentity:
    """Which model answered: everything that its answers depend on besides the settings."""

    name: str  # as --model takes it
    adapter_version: str  # of the plug-in's adapter to the model, which is no LoRA adapter
    distribution: str | None  # the package that provides the adapter; None: none does
    distribution_version: str | None
    checkpoint: str  # the folder or hub id
    checkpoint_sha256: str | None = None  # see `socialcli.results.keys.checkpoint_fingerprint`; None: not loaded yet
    adapter: str | None = None  # the folder of the LoRA adapter; None: there is none
    adapter_sha256: str | None = None  # see `socialcli.results.keys.lora_fingerprint`; None: none, or not loaded yet
    merged: bool = False  # whether the LoRA adapter was merged into the weights
    device: str | None = None  # what "auto" came to, for example "cuda:0"; None: not loaded yet
    dtype: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counts of run.json. A row is a question under one condition."""

    episodes: int = 0  # readable and selected
    questions: int = 0  # of the tasks of the run
    rows: int = 0  # ok + unparsed + failed
    ok: int = 0
    unparsed: int = 0
    failed: int = 0
    unlabelled: int = 0  # rows of any status without a gold answer
    unreadable: int = 0  # rows of the episodes file without a single question
    kept: int = 0  # of the rows, those reused from an earlier run
    expected: int = 0  # rows that the run set out to write, possibly too many with unreadable rows; 0: unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The content of run.json; docs/output.md explains every field."""

    settings: RunSettings
    command: tuple[str, ...]  # the command line, the program first
    model: ModelIdentity
    input_sha256: str  # of the episodes file
    versions: Mapping[str, str | None]
    platform: Mapping[str, str | int | None]
    started: datetime
    finished: datetime | None = None
    counts: Counts = Counts()
    coverage: Coverage | None = None  # None: not known yet
    invariance: Mapping[str, Change] | None = None  # None: not checked
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    outcome: Outcome = "running"
    exit_code: int | None = None
    stages: Mapping[str, float] = field(default_factory=dict)  # seconds by stage of the work

    @classmethod
    def begin(cls, settings: RunSettings, command: Sequence[str], model: ModelIdentity, input_sha256: str) -> Self:
        """The manifest of a run that starts now, on this machine with its installed packages."""
        return cls(
            settings=settings,
            command=tuple(command),
            model=model,
            input_sha256=input_sha256,
            versions=installed_versions(),
            platform=this_platform(),
            started=datetime.now(UTC),
        )

    def so_far(self, counts: Counts) -> Self:
        """The same run, still on, with its counts so far."""
        return dataclasses.replace(self, counts=counts)

    def end(
        self,
        outcome: Outcome,
        exit_code: int,
        counts: Counts,
        problems: Sequence[str] = (),
        warnings: Sequence[str] = (),
        stages: Mapping[str, float] | None = None,
    ) -> Self:
        """The same run, ended now; keeps the first `MAX_PROBLEMS` of the problems."""
        return dataclasses.replace(
            self,
            outcome=outcome,
            exit_code=exit_code,
            counts=counts,
            problems=tuple(problems[:MAX_PROBLEMS]),
            warnings=tuple(warnings),
            stages=self.stages if stages is None else dict(stages),
            finished=datetime.now(UTC),
        )

    @classmethod
    def from_record(cls, record: Mapping[str, Any], settings: RunSettings) -> Self:
        """The manifest that a run with these settings wrote, without its invariance check.

        Raises InvalidInputError where the record is no such manifest.
        """
        try:
            return cls(
                settings=settings,
                command=tuple(record["command"]),
                model=ModelIdentity(**record["model"]),
                input_sha256=record["input_sha256"],
                versions=record["versions"],
                platform=record["platform"],
                started=datetime.fromisoformat(record["started"]),
                finished=datetime.fromisoformat(record["finished"]) if record["finished"] else None,
                counts=Counts(**record["counts"]),
                coverage=Coverage.from_record(record["coverage"]) if record.get("coverage") else None,
                problems=tuple(record["problems"]),
                warnings=tuple(record["warnings"]),
                outcome=record["outcome"],
                exit_code=record["exit_code"],
                stages=record["stages"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"the manifest of the run cannot be read: {error!r}") from error

    @property
    def seconds(self) -> float | None:
        """Wall-clock time of the run; None while it is on. Never negative, even if the clock was set back."""
        return max(0.0, (self.finished - self.started).total_seconds()) if self.finished else None

    def as_record(self) -> dict[str, Any]:
        """The manifest as JSON values; schemas/run.schema.json describes it."""
        return {
            "manifest_version": MANIFEST_VERSION,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "started": self.started.isoformat(timespec="seconds"),
            "finished": self.finished.isoformat(timespec="seconds") if self.finished else None,
            "seconds": self.seconds,
            "command": list(self.command),
            "settings": self.settings.as_record(),
            "model": dataclasses.asdict(self.model),
            "input_sha256": self.input_sha256,
            "counts": dataclasses.asdict(self.counts),
            "coverage": self.coverage.as_record() if self.coverage else None,
            "stages": {stage: round(seconds, 3) for stage, seconds in self.stages.items()},
            "invariance": {way: change.as_record() for way, change in self.invariance.items()}
            if self.invariance
            else None,
            "problems": list(self.problems),
            "warnings": list(self.warnings),
            "versions": dict(self.versions),
            "platform": dict(self.platform),
        }


def installed_versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that decide answers, found without importing them; None: not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def this_platform() -> dict[str, str | int | None]:
    """The system that the run is on, without names of host or user."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
    }


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
