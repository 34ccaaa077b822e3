"""Put the questions of a job to the model, write the rows: for a run, and for a sweep, whose conditions are settings.

Rows are written twice: into parts as soon as they are computed, and into the file that becomes predictions.parquet
when it is complete. An interrupt loses only the second; a resumed job fills it from the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from socialcli.episodes.question_count import count_questions
from socialcli.episodes.reading import BadQuestion, EpisodeRow
from socialcli.errors import TooManyFailuresError
from socialcli.jobs.counts import JobCounter
from socialcli.jobs.grid import setting_of
from socialcli.jobs.job import Job
from socialcli.jobs.progress import FailureLog, log_answers
from socialcli.jobs.selection import Selection, select
from socialcli.results.earlier import EarlierRows
from socialcli.results.folder import OutputFolder
from socialcli.results.inputs import Inputs
from socialcli.results.parts import PartWriter
from socialcli.results.predictions import PREDICTIONS, Prediction
from socialcli.results.resume import earlier_rows
from socialcli.results.tables import TableWriter, write_any
from socialcli.settings.failures import FailureLimit
from socialcli.verbs.run.set_aside import FailedQuestions

if TYPE_CHECKING:
    from socialcli.jobs.answer import Answered, Answerer

ShowProgress = Callable[[Iterable[Prediction], int], Iterable[Prediction]]
"""Passes the rows on, and shows how many of the total there have been."""


def show_nothing(rows: Iterable[Prediction], _total: int) -> Iterable[Prediction]:
    """Pass the rows on without showing progress."""
    return rows


def _ignore(_answered: Answered) -> None:
    """For jobs that do nothing more with an answered selection."""


@dataclass(kw_only=True)
class AnswerWriter:
    """Asks a loaded model the questions of a job, and writes a row per question, order and condition."""

    job: Job
    folder: OutputFolder
    answerer: Answerer
    inputs: Inputs
    counter: JobCounter
    retry_failed: bool
    episodes: Iterable[EpisodeRow]
    splits: Collection[str | None] | None  # of the questions to ask; None: all
    limit: str | None = None  # on failures, above which to stop; None: never
    out_of_scope: Callable[[Prediction], bool] = lambda _: False  # earlier rows that the job neither asks nor drops
    on_answered: Callable[[Answered], None] = _ignore
    _failures: FailureLog = field(default_factory=FailureLog, init=False)

    def write(self, show: ShowProgress, update: Callable[[], None]) -> int:
        """Write predictions.parquet; return how many rows the folder held before.

        `update` records the counts, whenever rows are safe in a part. Raises TooManyFailuresError above the limit,
        InvalidInputError where no row of the file is an episode, and OSError where results cannot be written.
        """
        earlier = earlier_rows(self.folder, self.retry_failed, PREDICTIONS)
        self.counter.expected = self._expected()
        update()
        failed = FailedQuestions()
        with (
            PartWriter(self.folder.parts, PREDICTIONS) as parts,
            TableWriter(self.folder.predictions, PREDICTIONS) as table,
        ):
            for row in show(self._rows(earlier, parts, update), self.counter.expected):
                table.write(row)
                self.counter.add(row)
                failed.add(row)
                self._check_limit()
            self.counter.check_readable()
            some_aside = self._set_aside(earlier, failed)
        self.folder.settle_aside(some_aside)
        return len(earlier)

    def _expected(self) -> int:
        """How many rows there will be; possibly too many if rows of the file cannot be read, or orders run out."""
        settings = self.job.settings
        questions = count_questions(settings.selection.files, self.job.tasks, self.splits, settings.selection.limit)
        return questions * (settings.prompt.permute or 1) * len(self.answerer.conditions)

    def _rows(
        self, earlier: EarlierRows[Prediction], parts: PartWriter[Prediction], update: Callable[[], None]
    ) -> Iterator[Prediction]:
        written = parts.number

        def keep(rows: Sequence[Sequence[Prediction]]) -> None:
            parts.write(rows)
            for of_question in rows:
                log_answers(of_question)
                self.counter.asked.update(map(setting_of, of_question))

        for group in self.answerer.answer(self._selections(), earlier, keep):
            for answered in group:
                self._count(answered)
                self.on_answered(answered)
                yield from answered.rows
            if parts.number != written:
                parts.flush()  # so that a kill takes away no answer that the counts include
                written = parts.number
                update()

    def _selections(self) -> Iterator[Selection]:
        settings = self.job.settings
        for selection in select(self.episodes, settings, self.job.tasks, self.counter):
            episode = selection.row.episode
            if episode is not None and settings.prompt.inputs != "L":
                self.inputs.add(episode.video.path, settings.selection.media_root_of(selection.row.folder))
            yield selection

    def _count(self, answered: Answered) -> None:
        episode = answered.selection.row.episode
        self._failures.warn(answered.selection.row, answered.rows)
        self.counter.kept += answered.kept
        self.counter.fewer_orders += answered.fewer_orders
        self.counter.unnamed += sum(
            isinstance(one, BadQuestion) and one.id is None for one in answered.selection.questions
        )
        self.counter.add_choice(episode.episode_id if episode else None, self.job.heads)

    def _check_limit(self) -> None:
        """Raise TooManyFailuresError where the failures exceed the limit, whatever the rest brings."""
        failures, total = self.counter.failures, max(self.counter.expected, self.counter.total)
        if self.limit is None or not FailureLimit.parse(self.limit).exceeded(failures, total):
            return
        answers = "answer" if failures == 1 else "answers"
        raise TooManyFailuresError(
            f"stopped: {failures} {answers} failed or could not be read, more than --max-failures {self.limit} allows; "
            f"the answers so far are kept in {self.folder.path}, and the same command with a higher limit resumes"
        )

    def _set_aside(self, earlier: EarlierRows[Prediction], failed: FailedQuestions) -> bool:
        """Write the earlier answers that must not be lost, if any; return whether there are some.

        These are answers to questions that fail now (a share that is not mounted should not cost them), and rows out
        of scope. They stay among the parts, which survive a kill, until predictions.parquet has replaced the old one.
        """
        failed.unidentified = self.counter.unidentified
        any_failed = self.counter.failures > 0
        lost = (row for row in earlier.unused() if self.out_of_scope(row) or (any_failed and failed.includes(row)))
        return write_any(self.folder.part_set_aside, PREDICTIONS, (row for row in lost if row.status != "failed"))
