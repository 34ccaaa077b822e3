"""The counts of a job while it reads questions and writes rows, and the warnings that follow from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.messages import coverage_warning
from socialcli.errors import InvalidInputError
from socialcli.jobs.grid import Setting
from socialcli.results.heads import HeadChoice
from socialcli.results.manifest import Counts
from socialcli.results.predictions import Prediction
from socialcli.settings.run import RunSettings
from socialcli.settings.selection import ALL_TASKS

UNSTEERED = 0.5  # share of the aligned answers without an active head, above which a warning says so


@dataclass(slots=True)
class JobCounter:
    """Counts what a job reads and writes; `counts` gives them as the manifest has them."""

    episodes: int = 0  # rows of the job's split that name a question
    questions: int = 0  # of the job's tasks
    unreadable: int = 0  # rows of the file without a single question
    unnamed: int = 0  # failed questions whose ids cannot be read
    problems: list[str] = field(default_factory=list)  # messages of the first unreadable rows
    splits: Counter[str | None] = field(default_factory=Counter)  # of all readable rows
    tasks: Counter[str] = field(default_factory=Counter)  # of all questions in the job's split
    statuses: Counter[str] = field(default_factory=Counter)  # of the rows written
    unlabelled: int = 0
    aligned: int = 0  # aligned rows that did not fail
    unsteered: int = 0  # those of them without an active head, though a speaker's region is covered
    chosen_from: int = 0  # episodes that the fixed heads were chosen from
    kept: int = 0  # rows reused from an earlier run
    asked: Counter[Setting] = field(default_factory=Counter)  # rows computed now, by setting
    fewer_orders: int = 0  # questions whose candidates have fewer orders than `--permute` wants
    expected: int = 0  # rows that the job sets out to write; 0: not counted yet
    coverage_warned: bool = False  # whether coverage was warned of before the job started
    coverage: CoverageCounter = field(default_factory=CoverageCounter)  # of the episodes with questions to ask

    def add(self, row: Prediction) -> None:
        """Count a row that has been written."""
        self.statuses[row.status] += 1
        self.unlabelled += row.answer is None
        self.aligned += row.alignment and row.status != "failed"
        # Without, `coverage_warning` says why. A model that finds no region had no active head in the first pass.
        covered = bool(row.covered_utterances) or row.regions == "model"
        self.unsteered += covered and row.active_head_count == 0 and row.perturbation is None
        self.coverage.add_prompt(row.episode_id, row.utterances, row.covered_utterances)

    def add_choice(self, episode_id: str | None, heads: HeadChoice | None) -> None:
        """Count an episode if the fixed heads were chosen from it."""
        self.chosen_from += heads is not None and episode_id in heads.episode_ids

    def check_readable(self) -> None:
        """Raise InvalidInputError where no row of the file could be read."""
        if self.unreadable and not self.splits:
            raise InvalidInputError(f"no row of the file is an episode; the first problem: {self.problems[0]}")

    @property
    def failures(self) -> int:
        """What `--max-failures` limits: failed rows, and unreadable rows of the file."""
        return self.statuses["failed"] + self.unreadable

    @property
    def total(self) -> int:
        """The number of which `--max-failures P%` takes a share."""
        return self.statuses.total() + self.unreadable

    @property
    def unidentified(self) -> bool:
        """Whether any failed question could not be identified."""
        return self.unreadable + self.unnamed > 0

    def counts(self) -> Counts:
        """The counts of the manifest."""
        return Counts(
            episodes=self.episodes,
            questions=self.questions,
            rows=self.statuses.total(),
            ok=self.statuses["ok"],
            unparsed=self.statuses["unparsed"],
            failed=self.statuses["failed"],
            unlabelled=self.unlabelled,
            unreadable=self.unreadable,
            kept=self.kept,
            expected=self.expected,
        )

    def nothing_selected(self, settings: RunSettings, tasks: Collection[str]) -> str | None:
        """Why no question of the file is selected, with the names that exist; None if some are."""
        if self.questions:
            return None
        if settings.selection.split is not None and settings.selection.split not in self.splits:
            return f"no episode is of the split {settings.selection.split!r}; the file has: {_listed(self.splits)}"
        where = "the file" if settings.selection.split is None else f"the split {settings.selection.split!r}"
        if not self.tasks:
            return f"{where} has no questions; add some, or name another file"
        return f"{where} has no question of {', '.join(sorted(tasks))}; it has: {_listed(self.tasks)}"

    def warnings(self, settings: RunSettings, tasks: Collection[str]) -> list[str]:
        """The warnings about a finished job of these `tasks`."""
        found = []
        if settings.selection.limit != 0 and (nothing := self.nothing_selected(settings, tasks)) is not None:
            found.append(nothing)
        unknown = Counter({name: count for name, count in self.tasks.items() if name not in tasks})
        if settings.selection.tasks == ALL_TASKS and unknown:
            found.append(f"questions of tasks that no plug-in provides were skipped: {_listed(unknown)}")
        if self.aligned and not self.coverage_warned and settings.alignment.regions in ("boxes", "people"):
            warning = coverage_warning(self.coverage.total(settings.prompt.box_gap), settings.checks.min_coverage)
            found += [] if warning is None else [warning]
        if self.unsteered > UNSTEERED * self.aligned:
            found.append(
                f"the alignment changed nothing in {self.unsteered} of {self.aligned} answers, which had no active "
                f"head: none was above --lambda, or the prompt has nothing that --steer {settings.alignment.steer} "
                "could bias"
            )
        if self.fewer_orders:
            found.append(
                f"{self.fewer_orders} of {self.questions} questions have candidates with fewer than "
                f"{settings.prompt.permute} orders, and are asked in all that they have"
            )
        if self.chosen_from:
            found.append(
                f"the heads of {settings.alignment.heads} were chosen on {self.chosen_from} of the {self.episodes} "
                "episodes: accuracy on these is not held out"
            )
        return found


def _listed(counted: Mapping[str | None, int] | Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{name or '(none)'} {count}" for name, count in counted.items())) or "nothing"
