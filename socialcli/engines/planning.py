"""(torch) The questions of a dry run, made ready as for the model, of which only the shapes are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from socialcli.engines.checking import Job
from socialcli.engines.local import (
    Kept,
    ask_options,
    clip_digest,
    conditions_of,
    loaded_identity,
    row_maker,
    workers_of,
)
from socialcli.engines.pipeline import ahead
from socialcli.engines.selection import Selection
from socialcli.episodes.reading import BadQuestion
from socialcli.episodes.records import Question
from socialcli.errors import AnnotationError
from socialcli.inference.memory import prompt_bytes
from socialcli.inference.preparing import prepare_episode


@dataclass(frozen=True, slots=True)
class Planned:
    """What the questions of an episode come to."""

    tasks: Sequence[str]  # of every question
    kept: int  # questions that the folder has already
    tokens: Sequence[tuple[int, int]]  # visual ones and all, of each question that would be asked
    problems: Sequence[str]  # of each question that would fail


class Planner:
    """Prepares what a run would ask."""

    def __init__(self, job: Job) -> None:
        """Load the model's configuration and processor. Raises CheckpointError and UsageError."""
        self._adapter = job.model.item.load_checked(replace(job.load_options, weights=False))
        self._job = job
        self._options = ask_options(job.settings)
        self._rows = row_maker(job, self._adapter, loaded_identity(job.identity, self._adapter))
        self._conditions = conditions_of(job, self._adapter)

    @property
    def weights(self) -> int:
        """The bytes that the model's weights take."""
        return sum(one.numel() * one.element_size() for one in self._adapter.model.parameters())

    def prompt_bytes(self, length: int) -> int:
        """About how many bytes a prompt of `length` tokens takes beyond that; 0 for none."""
        return prompt_bytes(self._adapter, length) if length else 0

    def plan(self, selections: Iterable[Selection], kept: Kept) -> Iterator[Planned]:
        """What every selection comes to; clips are read ahead in threads as in a run."""
        workers = workers_of(self._job.settings, self._adapter)
        for _, planned in ahead(partial(self._planned, kept=kept), selections, workers):
            yield planned

    def _planned(self, selection: Selection, kept: Kept) -> Planned:
        row = selection.row
        tasks = [question.task or "unknown" for question in selection.questions]
        bad = [question for question in selection.questions if isinstance(question, BadQuestion)]
        problems = [AnnotationError(question.message).record for question in bad]
        good = [question for question in selection.questions if isinstance(question, Question)]
        if row.episode is None or not good:
            return Planned(tasks, 0, (), problems)
        media = clip_digest(row.episode, self._options)
        keys = {one.id: self._rows.keys(row.episode, media, one, self._conditions) for one in good}
        to_ask = [one for one in good if not all(key in kept for key in keys[one.id])]
        if not to_ask:
            return Planned(tasks, len(good), (), problems)
        ready = prepare_episode(self._adapter, row.episode, to_ask, self._job.tasks, self._options)
        place = f"{row.source_name}:{row.row}"
        problems += [f"{place}: question {one.question.id!r}: {one.error.record}" for one in ready.failed]
        lengths = [(asked.encoded.grid, asked.encoded.length) for _, asked in ready.asked]
        tokens = [(0 if grid is None else int(grid.tokens.size), length) for grid, length in lengths]
        return Planned(tasks, len(good) - len(to_ask), tokens, problems)
