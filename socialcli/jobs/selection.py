"""Which questions of an episodes file a run asks: those of its tasks and split, of each task up to the limit."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from socialcli.episodes.coverage.episode import annotated_coverage
from socialcli.episodes.file_set import read_files
from socialcli.episodes.question_count import has_question
from socialcli.episodes.reading import BadQuestion, EpisodeRow
from socialcli.episodes.records import Question
from socialcli.errors import UsageError
from socialcli.jobs.counts import JobCounter
from socialcli.results.manifest import MAX_PROBLEMS
from socialcli.settings.run import RunSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """The questions of one episode that a run asks, in the file's order; the bad ones fail without being asked."""

    row: EpisodeRow
    questions: tuple[Question | BadQuestion, ...]  # never empty


def select(
    episodes: Iterable[EpisodeRow],
    settings: RunSettings,
    tasks: Collection[str],
    counter: JobCounter,
    quiet: bool = False,
) -> Iterator[Selection]:
    """Yield the questions to ask, episode by episode; `counter` counts what is read.

    A row without a question is logged and becomes a problem of the counter. A row that is no JSON object has no known
    split, and counts as one of the run's. The limit holds for each task separately, and for the questions without one;
    reading stops when all `tasks` have reached it. `quiet`: log nothing, since the same rows are read again later.
    """
    taken: Counter[str | None] = Counter()
    for row in episodes:
        if row.episode is None and not row.bad_questions:
            if _of_split(row, settings.selection.split):
                _count_unreadable(row, counter, quiet)
            continue
        counter.splits[split_of(row.record)] += 1
        if not _of_split(row, settings.selection.split):
            continue
        found = in_file_order(row)
        counter.episodes += 1
        counter.tasks.update(question.task for question in found if question.task is not None)
        wanted = tuple(question for question in found if _takes(question.task, settings, tasks, taken))
        counter.questions += len(wanted)
        if wanted:
            if row.episode is not None:
                counter.coverage.add(annotated_coverage(row.episode, settings.prompt.box_gap))
            yield Selection(row, wanted)
        if settings.selection.limit is not None and all(taken[task] >= settings.selection.limit for task in tasks):
            return


def _takes(task: str | None, settings: RunSettings, tasks: Collection[str], taken: Counter[str | None]) -> bool:
    """Whether to ask a question of the task; if so, count it in `taken`."""
    limit = settings.selection.limit
    if not (task is None or task in tasks) or (limit is not None and taken[task] >= limit):
        return False
    taken[task] += 1
    return True


def check_selection(settings: RunSettings, tasks: Collection[str]) -> None:
    """Raise UsageError, with the existing splits or tasks, where the settings select no question of the file.

    The names are checked with `--limit 0` too. Reads up to the first selected question. Raises InvalidInputError where
    no row of the file is an episode.
    """
    if has_question(settings.selection.files, tasks, settings.selection.splits):
        return
    counter = JobCounter()
    for _ in select(read_files(settings.selection.files), settings.changed(limit=None), tasks, counter):
        return  # only the full check recognises this question
    counter.check_readable()
    nothing = counter.nothing_selected(settings, tasks)
    if nothing is not None:
        raise UsageError(f"{', '.join(map(str, settings.selection.files))}: {nothing}")


def in_file_order(row: EpisodeRow) -> list[Question | BadQuestion]:
    """The good and the bad questions of a row as they stand in the file."""
    if row.episode is None:
        return list(row.bad_questions)
    places = sorted({problem.question for problem in row.problems if problem.question is not None})
    bad = dict(zip(places, row.bad_questions, strict=True))
    good = iter(row.episode.questions)
    return [bad[place] if place in bad else next(good) for place in range(len(bad) + len(row.episode.questions))]


def split_of(record: Mapping[str, object] | None) -> str | None:
    """The split of a row, readable or not; None if it names none."""
    split = (record or {}).get("split")
    return split if isinstance(split, str) else None


def _of_split(row: EpisodeRow, split: str | None) -> bool:
    return split is None or row.record is None or split_of(row.record) == split


def _count_unreadable(row: EpisodeRow, counter: JobCounter, quiet: bool) -> None:
    message = row.problems[0].located(row.source_name)
    counter.unreadable += 1
    if counter.unreadable <= MAX_PROBLEMS:
        counter.problems.append(message)
        if not quiet:
            _log.warning("%s", message)
