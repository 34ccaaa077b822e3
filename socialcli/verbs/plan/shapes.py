"""(torch) The questions of a dry run, made ready as for the model, of which only the shapes are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from socialcli.episodes.reading import BadQuestion
from socialcli.errors import AnnotationError
from socialcli.inference.memory import prompt_bytes
from socialcli.jobs.conditions import conditions_of
from socialcli.jobs.job import Job
from socialcli.jobs.prepare import Asking, Prepared
from socialcli.jobs.selection import Selection
from socialcli.models.checkpoints.files import weights_bytes
from socialcli.results.kept import KeptRows
from socialcli.results.predictions import Prediction


@dataclass(frozen=True, slots=True)
class Planned:
    """What the questions of an episode come to."""

    tasks: Sequence[str]  # of every question
    kept: int  # rows that the folder has already
    tokens: Sequence[tuple[int, int]]  # visual ones and all, of each question that would be asked
    problems: Sequence[str]  # of each question that would fail
    failing: int  # rows that would fail
    failed_before: int = 0  # rows that the folder has, and that failed
    episode_id: str | None = None  # None: the row of the file is no episode
    reached: Sequence[tuple[int, int]] = ()  # utterances and covered ones of each question, also of those that are kept


class Planner:
    """Prepares what a run would ask."""

    def __init__(self, job: Job) -> None:
        """Load the model's configuration and processor. Raises CheckpointError and UsageError."""
        self._adapter = job.model.item.load_checked(replace(job.load_options, weights=False))
        self._asking = Asking(job, self._adapter, conditions_of(job, self._adapter))

    @property
    def weights(self) -> int:
        """The bytes that the model's weights take in memory.

        Their files, or the index of these, tell it as they are stored; weights that are not quantised take the number
        format of --dtype instead. Where neither is there yet, the shapes tell.
        """
        model, folder = self._adapter.model, self._adapter.folder
        if folder is None or (stored := weights_bytes(folder)) is None:
            return sum(one.numel() * one.element_size() for one in model.parameters())
        if getattr(model.config, "quantization_config", None) is not None:
            return stored
        kept = model.config.dtype or model.dtype  # of the files, as config.json says
        return int(stored * model.dtype.itemsize // kept.itemsize)

    def prompt_bytes(self, length: int) -> int:
        """About how many bytes a prompt of `length` tokens takes beyond that; 0 for none."""
        return prompt_bytes(self._adapter, length) if length else 0

    def plan(self, selections: Iterable[Selection], kept: KeptRows[Prediction]) -> Iterator[Planned]:
        """What every selection comes to; clips are read ahead in threads as in a run."""
        for selection, prepared in self._asking.prepare_ahead(selections, kept):
            failed = sum(map(kept.has_failed, prepared.kept))
            rows = [kept.row(key) for key in prepared.kept] if prepared.questions is None else []
            before = [(row.utterances, row.covered_utterances) for row in rows]
            reached = [(every, some) for every, some in before if every is not None and some is not None]
            planned = _planned(selection, prepared, len(self._asking.conditions))
            yield replace(planned, failed_before=failed, reached=[*planned.reached, *reached])


def _planned(selection: Selection, prepared: Prepared, conditions: int) -> Planned:
    tasks = [question.task or "unknown" for question in selection.questions]
    bad = [question for question in selection.questions if isinstance(question, BadQuestion)]
    problems = [AnnotationError(question.message).record for question in bad]
    failing = len(bad) * conditions
    ready = prepared.questions
    name = prepared.episode.episode_id if prepared.episode is not None else None
    if ready is None:
        return Planned(tasks, len(prepared.kept), (), problems, failing, episode_id=name)
    place = f"{selection.row.source_name}:{selection.row.row}"
    failed = [one for one in ready.failed if prepared.missing(one.question)]
    failing += sum(len(prepared.missing(one.question)) for one in failed)
    problems += [f"{place}: question {one.question.id!r}: {one.error.record}" for one in failed]
    encoded = [asked.encoded for _, asked in ready.asked if prepared.missing(asked.question)]
    tokens = [(0 if one.grid is None else int(one.grid.tokens.size), one.length) for one in encoded]
    plans = [asked.plan for _, asked in ready.asked if asked.plan is not None]
    reached = [(plan.utterances, plan.covered) for plan in plans]
    return Planned(tasks, len(prepared.kept), tokens, problems, failing, episode_id=name, reached=reached)
