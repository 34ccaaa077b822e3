"""What a run has met and made so far: the counts of its manifest, and what the user should know of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from socialcli.episodes.coverage.text import coverage_warning
from socialcli.episodes.coverage.total import CoverageTally
from socialcli.errors import InvalidInputError
from socialcli.jobs.grid import Setting
from socialcli.results.heads import HeadChoice
from socialcli.results.manifest import Counts
from socialcli.results.predictions import Prediction
from socialcli.settings.run import RunSettings
from socialcli.settings.selection import ALL_TASKS


@dataclass(slots=True)
class Tally:
    """Counts that grow while a run reads and writes."""

    episodes: int = 0  # rows of the run's split that name a question
    questions: int = 0  # of the run's tasks
    unreadable: int = 0  # rows of the file that name no question at all
    unnamed: int = 0  # questions that fail because the file gets even their names wrong
    problems: list[str] = field(default_factory=list)  # messages of the first of these
    splits: Counter[str | None] = field(default_factory=Counter)  # of all readable rows
    tasks: Counter[str] = field(default_factory=Counter)  # of all questions in the run's split
    statuses: Counter[str] = field(default_factory=Counter)  # of the rows written
    unlabelled: int = 0
    aligned: int = 0  # aligned rows that did not fail
    chosen_from: int = 0  # episodes that the fixed choice of heads was made from
    kept: int = 0  # rows of an earlier run that still hold
    asked: Counter[Setting] = field(default_factory=Counter)  # rows that the model was asked for, by their setting
    expected: int = 0  # rows that there will be, as far as counting questions tells; 0: nobody has counted
    told_uncovered: bool = False  # before the work began
    coverage: CoverageTally = field(default_factory=CoverageTally)  # of the episodes with questions to ask

    def add(self, row: Prediction) -> None:
        """Count a row that has been written."""
        self.statuses[row.status] += 1
        self.unlabelled += row.answer is None
        self.aligned += row.alignment and row.status != "failed"
        self.coverage.reach(row.episode_id, row.utterances, row.covered_utterances)

    def note_choice(self, episode_id: str | None, heads: HeadChoice | None) -> None:
        """Count an episode that the heads in use were chosen from."""
        self.chosen_from += heads is not None and episode_id in heads.episode_ids

    def check_readable(self) -> None:
        """Raise InvalidInputError where no row of the file could be read."""
        if self.unreadable and not self.splits:
            raise InvalidInputError(f"no row of the file is an episode; the first problem: {self.problems[0]}")

    @property
    def failures(self) -> int:
        """What `--max-failures` is held against: failed rows, and rows of the file that gave none."""
        return self.statuses["failed"] + self.unreadable

    @property
    def nameless(self) -> bool:
        """Whether questions fail of which nobody knows which ones they are."""
        return self.unreadable + self.unnamed > 0

    @property
    def total(self) -> int:
        """What a share of failures is a share of."""
        return self.statuses.total() + self.unreadable

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
        """Why no question of the file is selected, with the names that there are; None: some are."""
        if self.questions:
            return None
        if settings.selection.split is not None and settings.selection.split not in self.splits:
            return f"no episode is of the split {settings.selection.split!r}; the file has: {_listed(self.splits)}"
        where = "the file" if settings.selection.split is None else f"the split {settings.selection.split!r}"
        if not self.tasks:
            return f"{where} has no questions; add some, or name another file"
        return f"{where} has no question of {', '.join(sorted(tasks))}; it has: {_listed(self.tasks)}"

    def warnings(self, settings: RunSettings, tasks: Collection[str]) -> list[str]:
        """What the user should know of a run of these `tasks` that came to its end."""
        found = []
        if settings.selection.limit != 0 and (nothing := self.nothing_selected(settings, tasks)) is not None:
            found.append(nothing)
        unknown = Counter({name: count for name, count in self.tasks.items() if name not in tasks})
        if settings.selection.tasks == ALL_TASKS and unknown:
            found.append(f"questions of tasks that no plug-in provides were left out: {_listed(unknown)}")
        if self.aligned and not self.told_uncovered:
            warning = coverage_warning(self.coverage.total(settings.prompt.box_gap), settings.checks.min_coverage)
            found += [] if warning is None else [warning]
        if self.chosen_from:
            found.append(
                f"{self.chosen_from} of the {self.episodes} episodes are among those from which the heads of "
                f"{settings.alignment.heads} were chosen: accuracy on them is not held out"
            )
        return found


def _listed(counted: Mapping[str | None, int] | Mapping[str, int]) -> str:
    return ", ".join(sorted(f"{name or '(none)'} {count}" for name, count in counted.items())) or "nothing"
