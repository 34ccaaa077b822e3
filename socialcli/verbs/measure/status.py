"""Where a measurement stands, as measure.json says it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from socialcli.alignment.head_stats import FigureSums, HeadFigures
from socialcli.alignment.layers import layers_text
from socialcli.jobs.job import Job
from socialcli.jobs.lifecycle import Ending
from socialcli.results.manifest import Manifest
from socialcli.settings.failures import FailureLimit
from socialcli.verbs.measure.files import Decoder, Measurement
from socialcli.verbs.measure.summary import summarise, top_heads
from socialcli.verbs.measure.totals import MeasureTotals

if TYPE_CHECKING:
    from socialcli.verbs.measure.forward import Measurer

_log = logging.getLogger(__name__)


@dataclass
class MeasureStatus:
    """The manifest and the totals of a measurement whose model is loaded."""

    begun: Manifest
    job: Job
    measurer: Measurer
    totals: MeasureTotals

    def manifest(self, ending: Ending | None) -> Measurement:
        """The content of measure.json; `ending` is None while the measurement is on."""
        sums, chosen = self.totals.sums, self.measurer.chosen
        figures = self.figures(sums)
        return Measurement(
            manifest=self.begun if ending is None else self._ended(ending),
            decoder=Decoder(*self.measurer.shape, self.layers),
            counts=self.totals.counts(),
            summary=summarise(figures, chosen) if sums.prompts else (),
            top_heads=top_heads(figures) if sums.prompts else (),
        )

    def figures(self, sums: FigureSums) -> HeadFigures:
        """The figures of `sums`; NaN in layers without attention to visual tokens."""
        return sums.figures(self.measurer.visual_layers)

    def _ended(self, ending: Ending) -> Manifest:
        counter = self.totals.counter
        problems = [*ending.problems, *counter.problems, *self.totals.problems]
        coverage = counter.coverage.total(self.job.settings.prompt.box_gap)
        return replace(self.begun, coverage=coverage).end(
            ending.outcome, ending.exit_code, self.begun.counts, problems, self.begun.warnings
        )

    @property
    def layers(self) -> str:
        """The aligned layers: "10-19"."""
        return layers_text(self.measurer.chosen)

    def too_many_failed(self) -> bool:
        """Whether more questions failed than `--max-failures` allows."""
        limit = FailureLimit.parse(self.job.settings.checks.max_failures)
        return limit.exceeded(self.totals.failures, self.totals.total)

    def complete(self) -> None:
        """Log the warnings about all episodes, now that they are measured; the manifest repeats them."""
        found = self.totals.counter.warnings(self.job.settings, self.job.tasks)
        for warning in found:
            _log.warning("%s", warning)
        self.begun = replace(self.begun, warnings=(*self.begun.warnings, *found))
