"""(torch) The work of a run in this process: one model, one episode after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from socialcli.adapters.contract import Adapter
from socialcli.alignment.attention import Alignment
from socialcli.alignment.forcing import attention_kernel
from socialcli.engines.asking import Asking, Kept, Prepared, conditions_of
from socialcli.engines.checking import Job
from socialcli.engines.selection import Selection
from socialcli.episodes.reading import BadQuestion
from socialcli.inference.answering import Outcome, answer_episodes
from socialcli.inference.batching import BatchLimit
from socialcli.runs.manifest import ModelIdentity
from socialcli.runs.predictions import Prediction

MOST_EPISODES = 64  # to wait for before any is answered: those of which all is kept already add no question


@dataclass(frozen=True, slots=True)
class Answered:
    """A selection with a row for every question of it under every condition, in that order."""

    selection: Selection
    rows: Sequence[Prediction]
    fresh: Sequence[Sequence[Prediction]]  # of the rows, by question, those that the model was asked for now
    kept: int  # of the rows, those of an earlier run


class LocalEngine:
    """Asks one model the questions of a run."""

    def __init__(self, job: Job, adapter: Adapter, conditions: Sequence[Alignment | None]) -> None:
        """Take the job's model, loaded, and the conditions to ask it under (None: plain).

        Raises UsageError for layers that the decoder does not have, and for an attention kernel that is not there.
        """
        settings = job.settings
        for condition in filter(None, conditions):
            condition.layers_of(len(adapter.layers))
        with attention_kernel(adapter, settings.attn):
            pass  # one that is not there is told before the work begins
        self._asking = Asking(job, adapter, conditions)
        self._adapter = adapter
        self._attn = settings.attn
        self._limit = BatchLimit(self._asking.options.batch_size)
        self.seconds = {"prepare": 0.0, "answer": 0.0}  # spent on clips and prompts, in all threads, and in the model

    @classmethod
    def load(cls, job: Job) -> Self:
        """Load the model of a run, to be asked under the conditions of the run's settings.

        Raises CheckpointError where it cannot be had, UsageError for a device or layers that are not there.
        """
        adapter = job.model.item.load_checked(job.load_options)
        return cls(job, adapter, conditions_of(job, adapter))

    @property
    def conditions(self) -> Sequence[Alignment | None]:
        """What every question is asked under; None: plain."""
        return self._asking.conditions

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        return self._asking.identity

    @property
    def files(self) -> list[Path]:
        """The folders of the weights."""
        return [folder for folder in (self._adapter.folder, self._adapter.lora) if folder is not None]

    def answer(self, selections: Iterable[Selection], kept: Kept | None = None) -> Iterator[list[Answered]]:
        """Every selection with its rows; a question of which all rows are `kept` is not asked again.

        While the model works, the next clips are read in threads. Selections are answered a few at a time, so that
        questions on several clips can go through the model together. Who keeps such a few together, and goes on behind
        them, has the same questions go through the model together as who never stopped: and so the same scores.
        """
        group: list[tuple[Selection, Prepared]] = []
        questions = 0
        for item in self._asking.prepare_ahead(selections, kept):
            group.append(item)
            questions += len(item[1].to_ask)
            if questions >= self._limit.to_collect(self._adapter) or len(group) >= MOST_EPISODES:
                yield self._answered(group, self._limit, self._attn)
                group, questions = [], 0
        yield self._answered(group, self._limit, self._attn)

    def again(self, selection: Selection, *, eager: bool = False) -> Sequence[Prediction]:
        """The rows of a selection asked one question at a time, with the plain eager attention if wanted."""
        group = [(selection, self._asking.prepare(selection, None))]
        (answered,) = self._answered(group, BatchLimit(1), "eager" if eager else self._attn)
        return answered.rows

    def _answered(self, group: Sequence[tuple[Selection, Prepared]], limit: BatchLimit, kernel: str) -> list[Answered]:
        ready = [prepared.questions for _, prepared in group if prepared.questions is not None]
        started = time.perf_counter()
        with attention_kernel(self._adapter, kernel):
            options = self._asking.options
            outcomes = iter(
                answer_episodes(self._adapter, ready, self.conditions, options.generate, limit, options.timeout)
            )
        self.seconds["answer"] += time.perf_counter() - started
        self.seconds["prepare"] += sum(prepared.seconds for prepared in ready)
        return [
            self._with_rows(selection, prepared, iter(next(outcomes)) if prepared.to_ask else iter(()))
            for selection, prepared in group
        ]

    def _with_rows(self, selection: Selection, prepared: Prepared, outcomes: Iterator[Outcome]) -> Answered:
        """The rows of the questions in their places: kept, asked, or refused because the file gets them wrong."""
        rows: list[Prediction] = []
        fresh: list[list[Prediction]] = []
        kept = 0
        for question in selection.questions:
            if isinstance(question, BadQuestion):
                rows += [self._asking.rows.refused(selection.row, question, condition) for condition in self.conditions]
            elif question.id in prepared.kept:
                rows += [prepared.kept[question.id].row(key) for key in prepared.keys[question.id]]
                kept += len(self.conditions)
            else:
                fresh.append([self._row(prepared, next(outcomes), key) for key in prepared.keys[question.id]])
                rows += fresh[-1]
        return Answered(selection, rows, fresh, kept)

    def _row(self, prepared: Prepared, outcome: Outcome, key: str) -> Prediction:
        assert prepared.episode is not None
        return self._asking.rows.answered(prepared.episode, outcome, key)
