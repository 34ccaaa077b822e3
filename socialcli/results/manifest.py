"""run.json: what a run was, with which versions and inputs, and how it ended.

A manifest is written when a run starts (outcome "running"), with the counts so far whenever answers have been kept,
and when it ends, whole each time, so that the file is valid JSON at every moment. One that still says "running" when no
run is on was killed.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from socialcli.episodes.coverage.record import Coverage
from socialcli.errors import InvalidInputError, SocialcliError, Terminated, TooManyFailuresError
from socialcli.files import write_json
from socialcli.results.invariance import Change
from socialcli.settings.run import RunSettings

Outcome = Literal["running", "done", "failures", "stopped", "interrupted", "error"]

MANIFEST_VERSION = "1.0"
MAX_PROBLEMS = 100  # messages kept of unreadable rows; `counts.unreadable` counts them all
PACKAGES = ("socialcli", "torch", "transformers", "peft", "pyarrow", "av", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIdentity:
    """Which model answered: everything but the settings that its answers depend on."""

    name: str  # as --model takes it
    adapter_version: str  # of the plug-in's adapter to the model, which is no LoRA adapter
    distribution: str | None  # the package that brings the adapter; None: none does
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
    """How much there was, and what became of it. A row is a question under one condition."""

    episodes: int = 0  # readable ones that the run selected
    questions: int = 0  # of the tasks of the run
    rows: int = 0  # ok + unparsed + failed
    ok: int = 0
    unparsed: int = 0
    failed: int = 0
    unlabelled: int = 0  # rows of any status without an answer to compare with
    unreadable: int = 0  # rows of the episodes file that gave no question at all
    kept: int = 0  # of the rows, those of an earlier run that still hold
    expected: int = 0  # rows that the run set out to make, some more where rows of the file cannot be read; 0: unknown


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
        """The manifest of a run that starts now, on this machine and with the packages installed here."""
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
        """The same run, still on, with what it has come to."""
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
        """The same run, ended now. Of `problems` the first `MAX_PROBLEMS` are kept."""
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
        """The manifest that a run with these settings wrote; what its invariance check found is left out.

        Raises InvalidInputError where it is none.
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
        """Wall-clock time of the run; None while it goes on. Not negative when the clock was set back."""
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


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write run.json, whole or not at all. Raises OSError where it cannot be written."""
    write_json(path, manifest.as_record())


def ending(error: BaseException) -> tuple[Outcome, int]:
    """The outcome and exit code of work that `error` broke off."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", 130
    if isinstance(error, Terminated):
        return "interrupted", 143
    if isinstance(error, TooManyFailuresError):
        return "stopped", error.exit_code
    return "error", error.exit_code if isinstance(error, SocialcliError) else 1


def installed_versions() -> dict[str, str | None]:
    """Versions of Python and the packages that decide answers, found without import; None: not installed."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def this_platform() -> dict[str, str | int | None]:
    """The system the run is on. It names no host and no user."""
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
