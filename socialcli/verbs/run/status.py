"""The status of a run, as written to run.json and sweep.json."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from socialcli.jobs.counts import JobCounter
from socialcli.jobs.job import Job
from socialcli.jobs.lifecycle import Ending
from socialcli.results.manifest import Manifest
from socialcli.settings.failures import FailureLimit

if TYPE_CHECKING:
    from socialcli.jobs.answer import Answerer
    from socialcli.results.invariance import Change

_log = logging.getLogger(__name__)


@dataclass
class RunStatus:
    """The manifest and the counts of a run whose model is loaded."""

    begun: Manifest
    job: Job
    answerer: Answerer
    counter: JobCounter
    seconds: Mapping[str, float] = field(default_factory=dict)  # spent before, by stage
    invariance: Mapping[str, Change] | None = None

    def manifest(self, ending: Ending | None) -> Manifest:
        """The content of run.json; `ending` is None while the run is on."""
        counter = self.counter
        if ending is None:
            return self.begun.so_far(counter.counts())
        coverage = counter.coverage.total(self.job.settings.prompt.box_gap)
        return replace(self.begun, coverage=coverage, invariance=self.invariance).end(
            ending.outcome,
            ending.exit_code,
            counter.counts(),
            problems=[*ending.problems, *counter.problems],
            warnings=self.begun.warnings,
            stages={**self.seconds, **self.answerer.seconds},
        )

    def too_many_failed(self) -> bool:
        """Whether more answers failed than `--max-failures` allows."""
        limit = FailureLimit.parse(self.job.settings.checks.max_failures)
        return limit.exceeded(self.counter.failures, self.counter.total)

    def complete(self, warnings: Sequence[str] = ()) -> None:
        """Log the warnings about all rows, now that they are written, and `warnings`; the manifest repeats them."""
        found = [*self.counter.warnings(self.job.settings, self.job.tasks), *warnings]
        for warning in found:
            _log.warning("%s", warning)
        self.begun = replace(self.begun, warnings=(*self.begun.warnings, *found))
        self.counter.expected = self.counter.statuses.total()
