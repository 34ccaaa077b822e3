"""Which questions of an episodes file a run asks: those of its tasks and split, of each task up to the limit."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from socialcli.episodes.counting import has_question
from socialcli.episodes.coverage.utterances import annotated_coverage
from socialcli.episodes.reading import BadQuestion, EpisodeRow
from socialcli.episodes.records import Question
from socialcli.episodes.several import read_files
from socialcli.errors import UsageError
from socialcli.jobs.counts import Tally
from socialcli.results.manifest import MAX_PROBLEMS
from socialcli.settings.run import RunSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """The questions of one episode that a run asks, in the file's order; the bad ones fail without being asked."""

    row: EpisodeRow
    questions: tuple[Question | BadQuestion, ...]  # never empty


def select(
    episodes: Iterable[EpisodeRow], settings: RunSettings, tasks: Collection[str], tally: Tally, quiet: bool = False
) -> Iterator[Selection]:
    """The questions to ask, episode by episode; `tally` learns what was met on the way.

    A row that names no question is a warning and a problem of the tally. Of a row that is no JSON object nobody knows
    the split, and it counts as one of the run's. The limit holds for each task of its own, and for the questions
    without one; the file is read no further than all `tasks` together need. `quiet`: do not log what is met, since the
    same rows are read once more.
    """
    taken: Counter[str | None] = Counter()
    for row in episodes:
        if row.episode is None and not row.bad_questions:
            if _of_split(row, settings.selection.split):
                _note_unreadable(row, tally, quiet)
            continue
        tally.splits[split_of(row.record)] += 1
        if not _of_split(row, settings.selection.split):
            continue
        found = in_file_order(row)
        tally.episodes += 1
        tally.tasks.update(question.task for question in found if question.task is not None)
        wanted = tuple(question for question in found if _takes(question.task, settings, tasks, taken))
        tally.questions += len(wanted)
        if wanted:
            if row.episode is not None:
                tally.coverage.add(annotated_coverage(row.episode, settings.prompt.box_gap))
            yield Selection(row, wanted)
        if settings.selection.limit is not None and all(taken[task] >= settings.selection.limit for task in tasks):
            return


def _takes(task: str | None, settings: RunSettings, tasks: Collection[str], taken: Counter[str | None]) -> bool:
    """Whether to ask a question of a task of which so many are `taken`, which then counts it."""
    if not (task is None or task in tasks) or (
        settings.selection.limit is not None and taken[task] >= settings.selection.limit
    ):
        return False
    taken[task] += 1
    return True


def check_selection(settings: RunSettings, tasks: Collection[str]) -> None:
    """Raise UsageError, with the splits or tasks that there are, where the settings select no question of the file.

    Of `--limit 0`, which asks for none, the names are checked all the same. The file is read up to the first question
    that is selected; where there is none, InvalidInputError says so if no row of it is an episode.
    """
    if has_question(settings.selection.files, tasks, settings.selection.splits):
        return
    tally = Tally()
    for _ in select(read_files(settings.selection.files), settings.changed(limit=None), tasks, tally):
        return  # a question of which only a full check sees that it is one
    tally.check_readable()
    nothing = tally.nothing_selected(settings, tasks)
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
    """The split of a row, good or bad; None where it names none."""
    split = (record or {}).get("split")
    return split if isinstance(split, str) else None


def _of_split(row: EpisodeRow, split: str | None) -> bool:
    return split is None or row.record is None or split_of(row.record) == split


def _note_unreadable(row: EpisodeRow, tally: Tally, quiet: bool) -> None:
    message = row.problems[0].located(row.source_name)
    tally.unreadable += 1
    if tally.unreadable <= MAX_PROBLEMS:
        tally.problems.append(message)
        if not quiet:
            _log.warning("%s", message)
