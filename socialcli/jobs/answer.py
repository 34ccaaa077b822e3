"""(torch) The work of a run in this process: one model, one episode after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from socialcli.alignment.attention import Alignment
from socialcli.alignment.hooks import attention_kernel
from socialcli.episodes.reading import BadQuestion
from socialcli.inference.answering import Outcome, answer_batches
from socialcli.inference.batching import BatchLimit
from socialcli.jobs.conditions import conditions_of
from socialcli.jobs.job import Job
from socialcli.jobs.prepare import Asking, Kept, Prepared
from socialcli.jobs.selection import Selection
from socialcli.models.contract import Adapter
from socialcli.results.manifest import ModelIdentity
from socialcli.results.predictions import Prediction

MOST_EPISODES = 64  # to wait for before any is answered: those of which no question can be asked add none


@dataclass(frozen=True, slots=True)
class Answered:
    """A selection with a row for every question of it under every condition, in that order."""

    selection: Selection
    rows: Sequence[Prediction]
    kept: int  # of the rows, those of an earlier run


Keep = Callable[[Sequence[Sequence[Prediction]]], None]
"""Takes the rows, by question, of questions that went through the model together."""


class LocalEngine:
    """Asks one model the questions of a run."""

    def __init__(self, job: Job, adapter: Adapter, conditions: Sequence[Alignment | None]) -> None:
        """Take the job's model, loaded, and the conditions to ask it under (None: plain).

        Raises UsageError for layers that the decoder does not have, and for an attention kernel that is not there.
        """
        settings = job.settings
        for condition in filter(None, conditions):
            condition.layers_of(len(adapter.layers))
        with attention_kernel(adapter, settings.compute.attn):
            pass  # one that is not there is told before the work begins
        self._asking = Asking(job, adapter, conditions)
        self._adapter = adapter
        self._attn = settings.compute.attn
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

    def answer(
        self, selections: Iterable[Selection], kept: Kept | None = None, keep: Keep = lambda _: None
    ) -> Iterator[list[Answered]]:
        """Every selection with its rows; a question is asked under those conditions of which no row is `kept`.

        While the model works, the next clips are read in threads. Selections are answered a few at a time, so that
        questions on several clips can go through the model together. `keep` is given the rows of questions that did as
        soon as they are there. Which do depends on the questions alone, not on what is kept, unless memory runs short:
        who goes on behind a run that was broken off gets the same scores as who never stopped.
        """
        group: list[tuple[Selection, Prepared]] = []
        questions = 0
        for item in self._asking.prepare_ahead(selections, kept):
            group.append(item)
            questions += len(item[1].keys)
            if questions >= self._limit.to_collect(self._adapter) or len(group) >= MOST_EPISODES:
                yield self._answered(group, kept, keep)
                group, questions = [], 0
        yield self._answered(group, kept, keep)

    def again(self, selection: Selection, *, eager: bool = False) -> Sequence[Prediction]:
        """The rows of a selection asked one question at a time, with the plain eager attention if wanted."""
        prepared = self._asking.prepare(selection, None)
        fresh = self._asked([prepared], BatchLimit(1), "eager" if eager else self._attn, lambda _: None)
        return self._with_rows(selection, prepared, None, fresh).rows

    def _answered(self, group: Sequence[tuple[Selection, Prepared]], kept: Kept | None, keep: Keep) -> list[Answered]:
        fresh: Mapping[str, Prediction] = {}
        if any(prepared.questions is not None for _, prepared in group):
            whole = [self._asking.completed(selection, prepared) for selection, prepared in group]
            fresh = self._asked(whole, self._limit, self._attn, keep)
        return [self._with_rows(selection, prepared, kept, fresh) for selection, prepared in group]

    def _asked(self, group: Sequence[Prepared], limit: BatchLimit, kernel: str, keep: Keep) -> dict[str, Prediction]:
        """The rows by key that were not kept, of all questions of a few selections."""
        of_question = {question: prepared for prepared in group for question in prepared.keys}
        ready = [prepared.questions for prepared in group if prepared.questions is not None]
        options = self._asking.options
        fresh: dict[str, Prediction] = {}
        started = time.perf_counter()
        with attention_kernel(self._adapter, kernel):
            for batch in answer_batches(
                self._adapter,
                ready,
                self.conditions,
                options.generate,
                limit,
                options.timeout,
                wanted=lambda question: of_question[question.id].missing(question),
            ):
                rows = [self._rows_of(of_question[outcomes[0].question.id], outcomes) for outcomes in batch]
                keep(rows)
                fresh |= {row.key: row for of_one in rows for row in of_one}
        self.seconds["answer"] += time.perf_counter() - started
        self.seconds["prepare"] += sum(prepared.seconds for prepared in ready)
        return fresh

    def _rows_of(self, prepared: Prepared, outcomes: Sequence[Outcome]) -> list[Prediction]:
        """The rows of a question that were not there yet: it was asked under no other condition."""
        assert prepared.episode is not None
        question = outcomes[0].question
        keys = [prepared.keys[question.id][place] for place in prepared.missing(question)]
        found = zip(outcomes, keys, strict=True)
        return [self._asking.rows.answered(prepared.episode, outcome, key) for outcome, key in found]

    def _with_rows(
        self, selection: Selection, prepared: Prepared, kept: Kept | None, fresh: Mapping[str, Prediction]
    ) -> Answered:
        """The rows of the questions in their places: kept, asked, or refused because the file gets them wrong."""
        rows: list[Prediction] = []
        for question in selection.questions:
            if isinstance(question, BadQuestion):
                rows += [self._asking.rows.refused(selection.row, question, one) for one in self.conditions]
                continue
            for key in prepared.keys[question.id]:
                rows.append(kept.row(key) if kept is not None and key in prepared.kept else fresh[key])
        return Answered(selection, rows, len(prepared.kept))
