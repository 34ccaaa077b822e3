"""Where a sweep stands, as sweep.json says it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from socialcli.jobs.lifecycle import Ending
from socialcli.verbs.run.status import RunStatus
from socialcli.verbs.sweep.files import Sweep


@dataclass
class SweepStatus:
    """Where a sweep stands, as sweep.json says it."""

    run: RunStatus
    sweep: Sweep

    def manifest(self, ending: Ending | None) -> Sweep:
        """The content of sweep.json; `ending` is None while the sweep is on."""
        return replace(self.sweep, manifest=self.run.manifest(ending))

    def too_many_failed(self) -> bool:
        """Whether more answers failed than `--max-failures` allows."""
        return self.run.too_many_failed()
