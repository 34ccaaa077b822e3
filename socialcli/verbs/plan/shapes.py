"""(torch) The questions of a dry run, prepared for a model that has the shapes of its weights but no weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from socialcli.alignment.regions.sources import Regions
from socialcli.alignment.steering.modes import Steering
from socialcli.episodes.reading import BadQuestion
from socialcli.errors import AnnotationError
from socialcli.inference.clip import ClipQuestion, FailedQuestion
from socialcli.inference.memory import prompt_bytes
from socialcli.jobs.conditions import conditions_of
from socialcli.jobs.job import Job
from socialcli.jobs.prepare import Prepared, Preparer
from socialcli.jobs.selection import Selection
from socialcli.models.checkpoints.files import weights_bytes
from socialcli.models.contract import Adapter, EncodedPrompt
from socialcli.results.earlier import EarlierRows
from socialcli.results.predictions import Prediction


@dataclass(frozen=True, slots=True)
class PlannedPrompt:
    """The size of a prompt."""

    visual: int  # visual tokens, or keys of cross-attention
    text: int  # tokens of the sequence without visual ones
    memory: int  # bytes beyond the weights


@dataclass(frozen=True, slots=True)
class Planned:
    """The questions of an episode, as a run would meet them."""

    tasks: Sequence[str]  # of every question
    rows: int  # of all questions, kept ones included
    kept: int  # rows that the folder already has
    prompts: Sequence[PlannedPrompt]  # of each question that would be asked
    problems: Sequence[str]  # of each question that would fail
    failing: int  # rows that would fail
    fewer_orders: int = 0  # questions whose candidates have fewer orders than `--permute` wants
    failed_before: int = 0  # rows that the folder has, and that failed
    episode_id: str | None = None  # None: the row of the file is no episode
    reached: Sequence[tuple[int, int]] = ()  # utterances and covered ones of each question, kept ones included


class Planner:
    """Prepares the questions that a run would ask."""

    def __init__(self, job: Job) -> None:
        """Load the model's configuration and processor. Raises CheckpointError and UsageError."""
        self._adapter = job.model.item.load_checked(replace(job.load_options, weights=False))
        self._orders = job.settings.prompt.permute or 1
        source = job.settings.alignment.regions
        self._regions = None if source == "model" else Steering(regions=Regions(source))  # the weights find the model's
        self._preparer = Preparer(job, self._adapter, conditions_of(job, self._adapter))

    @property
    def weights(self) -> int:
        """The bytes that the model's weights take in memory.

        Taken from the checkpoint's files or their index, converted to --dtype unless the weights are quantised; without
        files, computed from the shapes.
        """
        model, folder = self._adapter.model, self._adapter.folder
        if folder is None or (stored := weights_bytes(folder)) is None:
            return sum(one.numel() * one.element_size() for one in model.parameters())
        if getattr(model.config, "quantization_config", None) is not None:
            return stored
        kept = model.config.dtype or model.dtype  # of the files, according to config.json
        return int(stored * model.dtype.itemsize // kept.itemsize)

    def plan(self, selections: Iterable[Selection], kept: EarlierRows[Prediction]) -> Iterator[Planned]:
        """What a run would do with each selection; threads read the next clips as in a run."""
        for prepared in self._preparer.prepare_ahead(selections, kept):
            failed = sum(map(kept.has_failed, prepared.kept))
            rows = [kept.row(key) for key in prepared.kept] if prepared.questions is None else []
            before = [(row.utterances, row.covered_utterances) for row in rows]
            reached = [(every, some) for every, some in before if every is not None and some is not None]
            planned = _planned(prepared, len(self._preparer.conditions), self._orders, self._adapter)
            yield replace(planned, failed_before=failed, reached=[*self._reached(prepared), *reached])

    def _reached(self, prepared: Prepared) -> list[tuple[int, int]]:
        """Utterances and covered ones of each question that would be asked, where no model is needed to know them."""
        ready = [one for one in prepared.questions or () if isinstance(one, ClipQuestion)]
        plans = [] if self._regions is None else [one.plan_under(self._regions) for one in ready]
        return [(plan.utterances, plan.covered) for plan in plans if plan is not None]


def _planned(prepared: Prepared, conditions: int, orders: int, adapter: Adapter) -> Planned:
    selection, episode = prepared.selection, prepared.selection.row.episode
    bad = [question for question in selection.questions if isinstance(question, BadQuestion)]
    questions = prepared.questions or ()
    failed = [one for one in questions if isinstance(one, FailedQuestion) and one.missing]
    ready = [one for one in questions if isinstance(one, ClipQuestion)]
    place = f"{selection.row.source_name}:{selection.row.row}"
    return Planned(
        tasks=[question.task or "unknown" for question in selection.questions],
        rows=(len(bad) * orders + sum(map(len, prepared.keys.values()))) * conditions,
        kept=len(prepared.kept),
        prompts=[_planned_prompt(adapter, one.encoded) for one in ready if one.missing],
        problems=[
            *(AnnotationError(question.message).record for question in bad),
            *dict.fromkeys(f"{place}: question {one.question.id!r}: {one.error.record}" for one in failed),
        ],
        failing=len(bad) * orders * conditions + sum(len(one.missing or ()) for one in failed),
        fewer_orders=prepared.fewer_orders(orders),
        episode_id=episode.episode_id if episode is not None else None,
    )


def _planned_prompt(adapter: Adapter, prompt: EncodedPrompt) -> PlannedPrompt:
    visual = 0 if prompt.grid is None else int(prompt.grid.shown.size)
    text = prompt.length if prompt.cross_keys else prompt.length - visual
    return PlannedPrompt(visual, text, prompt_bytes(adapter, prompt.length, prompt.cross_keys))
