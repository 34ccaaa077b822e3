"""train.json: the settings, inputs and versions of a training, how far it got, and how it ended."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from socialcli.results.manifest import MAX_PROBLEMS, ModelIdentity, Outcome, installed_versions, this_platform
from socialcli.verbs.train.files import TRAINING_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainCounts:
    """The counts of train.json."""

    episodes: int = 0  # of the training split, with something to learn from
    questions: int = 0  # labelled ones in them
    validation_episodes: int = 0
    validation_questions: int = 0
    unlabelled: int = 0  # questions of the tasks without a gold answer, which are skipped
    unreadable: int = 0  # problems of the episodes file
    lost: int = 0  # questions that could not be prepared; `problems` says why
    rows: int = 0  # of an epoch
    steps: int = 0  # of the whole training
    steps_done: int = 0
    weights: int = 0  # trainable parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainManifest:
    """The content of train.json."""

    settings: Mapping[str, Any]
    identity: Mapping[str, Any]  # everything that decides the weights; only the same training may resume here
    command: tuple[str, ...]
    model: ModelIdentity
    versions: Mapping[str, str | None]
    platform: Mapping[str, str | int | None]
    started: datetime
    resumed_from: int | None  # the step of the saved state; None: started afresh
    finished: datetime | None = None
    counts: TrainCounts = TrainCounts()
    accuracy: Mapping[str, Any] = field(default_factory=dict)  # see `socialcli.verbs.train.files.latest_accuracies`
    problems: tuple[str, ...] = ()
    outcome: Outcome = "running"
    exit_code: int | None = None

    @classmethod
    def begin(
        cls,
        settings: Mapping[str, Any],
        identity: Mapping[str, Any],
        command: Sequence[str],
        model: ModelIdentity,
        resumed_from: int | None,
    ) -> Self:
        """The manifest of a training that starts or resumes now."""
        return cls(
            settings=settings,
            identity=identity,
            command=tuple(command),
            model=model,
            versions=installed_versions(),
            platform=this_platform(),
            started=datetime.now(UTC),
            resumed_from=resumed_from,
        )

    def end(
        self,
        outcome: Outcome,
        exit_code: int,
        counts: TrainCounts,
        accuracy: Mapping[str, Any],
        problems: Sequence[str] = (),
    ) -> Self:
        """The same training, ended now; keeps the first `MAX_PROBLEMS` of the problems."""
        return dataclasses.replace(
            self,
            outcome=outcome,
            exit_code=exit_code,
            counts=counts,
            accuracy=accuracy,
            problems=tuple(problems[:MAX_PROBLEMS]),
            finished=datetime.now(UTC),
        )

    def as_record(self) -> dict[str, Any]:
        """The manifest as JSON values; schemas/train.schema.json describes it."""
        return {
            "manifest_version": TRAINING_VERSION,
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "started": self.started.isoformat(timespec="seconds"),
            "finished": self.finished.isoformat(timespec="seconds") if self.finished else None,
            "resumed_from": self.resumed_from,
            "command": list(self.command),
            "settings": dict(self.settings),
            "identity": dict(self.identity),
            "model": dataclasses.asdict(self.model),
            "counts": dataclasses.asdict(self.counts),
            "accuracy": dict(self.accuracy),
            "problems": list(self.problems),
            "versions": dict(self.versions),
            "platform": dict(self.platform),
        }
