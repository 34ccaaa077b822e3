"""Measuring the episodes of a job, and writing the rows and the files that sum them up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from socialcli.jobs.selection import Selection, select
from socialcli.results.columns import storable
from socialcli.results.earlier import EarlierRows
from socialcli.results.heads import HeadStatistics, write_heads
from socialcli.results.inputs import Inputs
from socialcli.results.parts import SECONDS, PartWriter
from socialcli.results.resume import earlier_rows
from socialcli.results.tables import TableWriter, write_any
from socialcli.verbs.measure.attention_table import AttentionRow, MeasureSettings, attention_writer, head_rows
from socialcli.verbs.measure.episode_sums import EPISODE_SUMS, EpisodeSums
from socialcli.verbs.measure.files import MeasureFolder, measure_settings
from socialcli.verbs.measure.heatmap import draw_heatmap
from socialcli.verbs.measure.shift import draw_shift
from socialcli.verbs.measure.status import MeasureStatus
from socialcli.verbs.measure.titles import Description
from socialcli.verbs.measure.totals import EpisodeMeasurement

if TYPE_CHECKING:
    from socialcli.verbs.measure.forward import Store

_log = logging.getLogger(__name__)

ShowProgress = Callable[[Iterable[EpisodeMeasurement]], Iterable[EpisodeMeasurement]]
"""Passes the episodes on, and shows how many there have been."""


@dataclass(frozen=True)
class MeasureWriter:
    """Measures a job's episodes with its loaded model, and writes a row per episode, and what is made of all rows."""

    status: MeasureStatus
    folder: MeasureFolder
    inputs: Inputs
    retry_failed: bool

    def write(self, show: ShowProgress, update: Callable[[], None]) -> None:
        """Measure the episodes and write their rows; call `update` from time to time."""
        earlier = earlier_rows(self.folder, self.retry_failed, EPISODE_SUMS)
        failing: set[str] = set()  # ids of episodes
        updated = time.monotonic()
        with (
            PartWriter(self.folder.parts, EPISODE_SUMS) as parts,
            TableWriter(self.folder.rows, EPISODE_SUMS) as rows,
            attention_writer(self.folder.attention) as write,
        ):
            for episode in show(self._episodes(earlier, lambda row: parts.write([[row]]))):
                write(self._rows(episode))
                if episode.record is not None:
                    rows.write(episode.record)
                self.status.totals.add(episode)
                if episode.failures and (name := (episode.row.record or {}).get("episode_id")):
                    failing.add(storable(name))
                if time.monotonic() - updated >= SECONDS:
                    update()
                    updated = time.monotonic()
            self.status.totals.counter.check_readable()
            some_aside = self._set_aside(earlier, failing)
        self.folder.settle_aside(some_aside)
        if len(earlier):
            _log.info("%d questions are measured already", self.status.totals.kept)

    def write_summaries(self) -> None:
        """Write the files made of all episodes together; none of them if nothing could be measured."""
        for old in (self.folder.heads, *self.folder.figures("heatmap", "shift")):
            old.unlink(missing_ok=True)
        if self.status.totals.sums.prompts:
            self._write_heads()
            self._draw()

    def _set_aside(self, earlier: EarlierRows[EpisodeSums], failing: Collection[str]) -> bool:
        """Write the earlier sums of episodes that fail now, if any, so that they are not lost: as a run does."""
        unidentified = self.status.totals.unidentified
        done = set(map(storable, self.status.totals.episode_ids)) if unidentified else set()
        rows = (
            row
            for row in earlier.unused()
            if row.sums.prompts and (row.episode_id in failing or (unidentified and row.episode_id not in done))
        )
        return write_any(self.folder.part_set_aside, EPISODE_SUMS, rows)

    def _episodes(self, earlier: EarlierRows[EpisodeSums], keep: Store) -> Iterator[EpisodeMeasurement]:
        return self.status.measurer.measure(self._selections(), earlier, keep)

    def _selections(self) -> Iterator[Selection]:
        job = self.status.job
        for selection in select(job.episodes, job.settings, job.tasks, self.status.totals.counter):
            if selection.row.episode is not None:
                self.inputs.add(selection.row.episode.video.path)
            yield selection

    def _rows(self, found: EpisodeMeasurement) -> Iterable[AttentionRow]:
        episode = found.row.episode
        if episode is None or not found.sums.prompts:
            return ()
        return head_rows(
            self.status.figures(found.sums),
            self.status.measurer.chosen,
            self._under(),
            episode_id=episode.episode_id,
            dataset=episode.dataset,
            split=episode.split,
            tasks=found.tasks,
        )

    def _under(self) -> MeasureSettings:
        settings = self.status.job.settings
        return MeasureSettings(
            model=settings.model.name,
            checkpoint=self.status.measurer.identity.checkpoint,
            adapter=self.status.measurer.identity.adapter,
            alpha=settings.alignment.alpha,
            lambda_=settings.alignment.lambda_,
            layers=self.status.layers,
            bias=settings.alignment.bias,
            inputs=settings.prompt.inputs,
            boxes_as=settings.prompt.boxes_as,
            context=settings.prompt.context,
            frames=settings.prompt.frames,
        )

    def _write_heads(self) -> None:
        figures = self.status.figures(self.status.totals.sums)
        statistics = HeadStatistics(
            active=self.status.totals.sums.active.astype(np.int64),
            prompts=self.status.totals.sums.prompts,
            model=self.status.measurer.identity,
            layers=self.status.layers,
            settings=measure_settings(self.status.job.settings),
            episode_ids=self.status.totals.episode_ids,
            gaze=_in_layers(figures.gaze, self.status.measurer.decoder.alignable),
            gaze_prompts=figures.gaze_prompts,
        )
        write_heads(self.folder.heads, statistics)

    def _draw(self) -> None:
        figures, chosen = self.status.figures(self.status.totals.sums), self.status.measurer.chosen
        description = Description(self._under(), len(self.status.totals.episode_ids), figures.prompts)
        draw_heatmap(self.folder.heatmap, figures, chosen, description)
        draw_shift(self.folder.shift, figures, chosen, description)


def _in_layers(gaze: npt.NDArray[np.float64], layers: Sequence[int]) -> npt.NDArray[np.float64]:
    """The scores (layers, heads) in these layers, NaN in the others, whose heads cannot be aligned."""
    kept = np.full_like(gaze, np.nan)
    kept[layers] = gaze[layers]
    return kept
