"""The work of `socialcli plan`: what a run would do and what would fail, found without the weights."""

from __future__ import annotations

import dataclasses
import logging
import statistics
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialcli.episodes.coverage.messages import coverage_line
from socialcli.episodes.coverage.record import Coverage
from socialcli.jobs.counts import JobCounter
from socialcli.jobs.coverage import check_coverage
from socialcli.jobs.job import Job, check_job
from socialcli.jobs.progress import counted
from socialcli.jobs.selection import select
from socialcli.models.sizes import LargeClips
from socialcli.plugins.registry import Registry
from socialcli.results.earlier import EarlierRows
from socialcli.results.folder import OutputFolder
from socialcli.results.predictions import PREDICTIONS
from socialcli.results.resume import earlier_rows, resumable_manifest
from socialcli.settings.run import RunSettings
from socialcli.text_table import laid_out

if TYPE_CHECKING:
    from socialcli.verbs.plan.shapes import Planned, Planner

_log = logging.getLogger(__name__)

MOST_PROBLEMS = 100  # to list; all of them count


@dataclass(frozen=True, slots=True)
class Spread:
    """The minimum, median and maximum of some numbers."""

    least: int
    median: float
    most: int

    @classmethod
    def of(cls, numbers: Sequence[int]) -> Spread | None:
        """The spread of the numbers; None if there are none."""
        return cls(min(numbers), statistics.median(numbers), max(numbers)) if numbers else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would do. Memory is in bytes; a row is a question under one condition, in one order."""

    questions: Mapping[str, int]  # by task
    rows: int  # including kept ones
    kept: int  # that the folder holds already
    failed_before: int  # kept ones that failed
    failures: int  # rows that would fail, and unreadable rows of the file
    unreadable: int
    visual_tokens: Spread | None  # per question that would be asked; None: none would
    text_tokens: Spread | None
    weights: int
    prompt: int  # memory of the largest prompt with its KV cache, on top of the weights
    prompts: int | None  # in a batch at most; None: as many as fit
    coverage: Coverage
    by_episode: Sequence[Mapping[str, Any]]  # ids, and the utterances and covered ones of the fullest prompt
    notes: Sequence[str]
    problems: Sequence[str]  # the first ones
    warnings: Sequence[str]

    def as_record(self) -> dict[str, Any]:
        """The plan as JSON values."""
        record = dataclasses.asdict(self)
        coverage = self.coverage.as_record() | {"by_episode": record.pop("by_episode")}
        return {**record, "coverage": coverage}


def plan(settings: RunSettings, folder: OutputFolder | None, retry_failed: bool, registry: Registry) -> Plan:
    """Find out what a run would do, and how much of it `folder` holds already. Writes nothing.

    Raises what `check_job`, `check_coverage` and loading the model's configuration and processor raise, UsageError
    where the run could not resume in the folder, and InvalidInputError where no row of the file is an episode.
    """
    job = check_job(settings, registry)
    kept = EarlierRows.read([], PREDICTIONS)
    if folder is not None and resumable_manifest(folder, settings, job.model.item.defaults) is not None:
        kept = earlier_rows(folder, retry_failed, PREDICTIONS)
    warnings = check_coverage(settings, job.tasks, quiet=True)  # the plan lists them itself
    # Without its weights, nobody knows which regions a model finds.
    known = settings.alignment.regions != "model"
    counter = JobCounter(aligned=known and settings.alignment.mode != "off", coverage_warned=bool(warnings))
    totals = _Totals()
    planner = _planner(job)
    found = planner.plan(select(job.episodes, settings, job.tasks, counter), kept)
    for one in counted(found, "plan", "episodes"):
        totals.add(one)
        counter.fewer_orders += one.fewer_orders
        if one.episode_id is not None and one.reached:
            counter.coverage.add_prompt(one.episode_id, *max(one.reached))
    counter.check_readable()
    large = totals.clips.note(job.model.item)
    return Plan(
        questions=dict(sorted(totals.questions.items())),
        rows=totals.rows,
        kept=totals.kept,
        failed_before=totals.failed_before,
        failures=totals.failing + counter.unreadable,
        unreadable=counter.unreadable,
        visual_tokens=Spread.of(totals.visual),
        text_tokens=Spread.of(totals.text),
        weights=planner.weights,
        prompt=totals.memory,
        prompts=None if settings.compute.batch_size == "auto" else int(settings.compute.batch_size),
        coverage=counter.coverage.total(settings.prompt.box_gap),
        by_episode=totals.by_episode,
        notes=[] if large is None else [large],
        problems=[*counter.problems, *totals.problems][:MOST_PROBLEMS],
        warnings=[*warnings, *counter.warnings(settings, job.tasks)],
    )


def _planner(job: Job) -> Planner:
    from socialcli.verbs.plan.shapes import Planner  # imports torch: seconds

    return Planner(job)


class _Totals:
    """Running totals over the planned questions, and the coverage of each episode."""

    def __init__(self) -> None:
        self.questions: Counter[str] = Counter()
        self.rows = self.kept = self.failed_before = self.failing = self.memory = 0
        self.visual, self.text = array("q"), array("q")
        self.problems: list[str] = []
        self.by_episode: list[dict[str, Any]] = []
        self.clips = LargeClips()

    def add(self, planned: Planned) -> None:
        """Count the questions of an episode."""
        self.questions.update(planned.tasks)
        self.rows += planned.rows
        self.kept += planned.kept
        self.failed_before += planned.failed_before
        for prompt in planned.prompts:
            self.visual.append(prompt.visual)
            self.text.append(prompt.text)
            self.memory = max(self.memory, prompt.memory)
        if planned.reached:
            utterances, covered = max(planned.reached)
            found = {"prompt_utterances": utterances, "covered_utterances": covered}
            self.by_episode.append({"episode_id": planned.episode_id, **found})
        if planned.prompts and planned.episode_id is not None:
            self.clips.add(planned.episode_id, max(prompt.visual for prompt in planned.prompts))
        self.failing += planned.failing
        for problem in planned.problems:
            if len(self.problems) < MOST_PROBLEMS:
                self.problems.append(problem)
                _log.warning("%s", problem)


def plan_lines(found: Plan) -> str:
    """The plan as text, without a newline at its end."""
    tasks = [["task", "questions"], *([task, str(count)] for task, count in found.questions.items())]
    parts = [laid_out(tasks, 1), _rows(found)]
    spreads = {"visual": found.visual_tokens, "text": found.text_tokens}
    if any(spreads.values()):
        head = ["tokens a question", "least", "median", "most"]
        parts.append(laid_out([head, *([name, *_cells(one)] for name, one in spreads.items())], 1))
    together = "" if found.prompts is None else f", {found.prompts} together at most"
    parts.append(
        f"memory: weights {_size(found.weights)}; the largest prompt with its cache {_size(found.prompt)}{together}"
    )
    parts.append(coverage_line(found.coverage))
    return "\n\n".join([*parts, *_listed("note", found.notes), *_listed("warning", found.warnings)])


def _rows(found: Plan) -> str:
    before = f" ({found.failed_before} of them failed; --retry-failed asks them again)" if found.failed_before else ""
    failing = found.failures - found.unreadable
    parts = [f"{found.kept} done already{before}", f"{found.rows - found.kept} to do"]
    ends = [f"{failing or 'none'} would fail"]
    ends += [f"{found.unreadable} rows of the file cannot be read"] if found.unreadable else []
    return "; ".join([f"{found.rows} answers: {', '.join(parts)}", *ends])


def _cells(spread: Spread | None) -> list[str]:
    return ["-"] * 3 if spread is None else [str(spread.least), f"{spread.median:g}", str(spread.most)]


def _size(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _listed(what: str, texts: Iterable[str]) -> list[str]:
    return [f"{what}: {text}" for text in texts]
