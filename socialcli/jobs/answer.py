"""(torch) Answers the questions of a job: one model, one episode after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from socialcli.alignment.attention import Alignment
from socialcli.alignment.hooks import attention_kernel, layers_of
from socialcli.episodes.reading import BadQuestion
from socialcli.inference.answers import answer_batches
from socialcli.inference.batching import BatchLimit
from socialcli.inference.clip import PreparedQuestion
from socialcli.jobs.conditions import conditions_of
from socialcli.jobs.job import Job
from socialcli.jobs.prepare import Kept, Prepared, Preparer
from socialcli.jobs.selection import Selection
from socialcli.models.contract import Adapter
from socialcli.results.manifest import ModelIdentity
from socialcli.results.predictions import Prediction

MOST_EPISODES = 64  # to collect before any is answered; episodes without a question to ask do not fill a batch


@dataclass(frozen=True, slots=True)
class Answered:
    """A selection with a row for every question of it under every condition, in that order."""

    selection: Selection
    rows: Sequence[Prediction]
    kept: int  # of the rows, those of an earlier run
    fewer_orders: int = 0  # questions whose candidates have fewer orders than `--permute` wants


Store = Callable[[Sequence[Sequence[Prediction]]], None]
"""Takes the rows, by question, of questions that went through the model together."""


class Answerer:
    """Answers the questions of a job with its model, under every condition."""

    def __init__(self, job: Job, adapter: Adapter, conditions: Sequence[Alignment | None]) -> None:
        """Take the job's model, loaded, and the conditions to ask it under (None: plain).

        Raises UsageError for layers that the decoder does not have, and for an attention kernel that is missing.
        """
        settings = job.settings
        for condition in filter(None, conditions):
            condition.layers_of(layers_of(adapter))
        with attention_kernel(adapter, settings.compute.attn):
            pass  # report a missing kernel before the work begins
        self._preparer = Preparer(job, adapter, conditions)
        self._adapter = adapter
        self._mode = job.answer_mode
        self._attn = settings.compute.attn
        self._orders = settings.prompt.permute or 1
        self._limit = BatchLimit(self._preparer.options.batch_size)
        self.seconds = {"prepare": 0.0, "answer": 0.0}  # spent on clips and prompts, in all threads, and in the model

    @classmethod
    def load(cls, job: Job) -> Self:
        """Load the model of a job, to be asked under the conditions of its settings.

        Raises CheckpointError if it cannot be loaded, UsageError for a missing device or missing layers.
        """
        adapter = job.model.item.load_checked(job.load_options)
        return cls(job, adapter, conditions_of(job, adapter))

    @property
    def conditions(self) -> Sequence[Alignment | None]:
        """The conditions under which every question is asked; None: plain."""
        return self._preparer.conditions

    @property
    def identity(self) -> ModelIdentity:
        """Which model answers."""
        return self._preparer.identity

    @property
    def files(self) -> list[Path]:
        """The folders of the weights."""
        return [folder for folder in (self._adapter.folder, self._adapter.lora) if folder is not None]

    def answer(
        self, selections: Iterable[Selection], kept: Kept | None = None, store: Store = lambda _: None
    ) -> Iterator[list[Answered]]:
        """Every selection with its rows; a question is asked only under the conditions that have no `kept` row.

        Threads read the next clips while the model works. A few selections are answered at a time, so that questions on
        several clips can share a batch. `store` gets the rows of each batch as soon as it is done. Batches depend on
        the questions alone, not on what is kept, nor on further orders of their candidates, unless memory runs short: a
        resumed run gets the same scores as an uninterrupted one.
        """
        group: list[Prepared] = []
        questions = 0
        for prepared in self._preparer.prepare_ahead(selections, kept):
            group.append(prepared)
            questions += len(prepared.keys)
            if questions >= self._limit.to_collect(self._adapter) or len(group) >= MOST_EPISODES:
                yield self._answered(group, kept, store)
                group, questions = [], 0
        yield self._answered(group, kept, store)

    def again(self, selection: Selection, *, eager: bool = False) -> Sequence[Prediction]:
        """The rows of a selection asked one question at a time, with plain eager attention if `eager`."""
        prepared = self._preparer.prepare(selection, None)
        fresh = self._fresh(prepared.questions or (), BatchLimit(1), "eager" if eager else self._attn, lambda _: None)
        return self._with_rows(prepared, None, fresh).rows

    def _answered(self, group: Sequence[Prepared], kept: Kept | None, store: Store) -> list[Answered]:
        fresh: Mapping[str, Prediction] = {}
        if any(prepared.questions is not None for prepared in group):
            whole = [self._preparer.completed(prepared) for prepared in group]
            questions = [one for prepared in whole for one in prepared.questions or ()]
            fresh = self._fresh(questions, self._limit, self._attn, store)
        return [self._with_rows(prepared, kept, fresh) for prepared in group]

    def _fresh(
        self, questions: Sequence[PreparedQuestion], limit: BatchLimit, kernel: str, store: Store
    ) -> dict[str, Prediction]:
        """The missing rows of some questions, by key."""
        fresh: dict[str, Prediction] = {}
        started = time.perf_counter()
        timeout = self._preparer.options.timeout
        with attention_kernel(self._adapter, kernel):
            for batch in answer_batches(self._adapter, questions, self.conditions, self._mode, limit, timeout):
                rows = [[self._preparer.rows.answered(result) for result in of_question] for of_question in batch]
                store(rows)
                fresh |= {row.key: row for of_question in rows for row in of_question}
        self.seconds["answer"] += time.perf_counter() - started
        self.seconds["prepare"] += sum(one.seconds for one in questions)
        return fresh

    def _with_rows(self, prepared: Prepared, kept: Kept | None, fresh: Mapping[str, Prediction]) -> Answered:
        """The rows of a selection in the order of its questions: kept, fresh, or refused for an error in the file."""
        selection, reused = prepared.selection, prepared.kept
        rows: list[Prediction] = []
        for question in selection.questions:
            if isinstance(question, BadQuestion):
                rows += self._preparer.rows.refused(selection.row, question)
                continue
            for order, keys in enumerate(prepared.keys[question.id]):
                for key in keys.values():
                    earlier = kept.row(key) if kept is not None and key in reused else None
                    rows.append(fresh[key] if earlier is None else self._preparer.rows.numbered(earlier, order))
        return Answered(selection, rows, len(reused), prepared.fewer_orders(self._orders))
