"""Which questions of an episodes file a run asks: those of its tasks and split, up to its limit, in their order."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from socialcli.engines.tally import Tally
from socialcli.episodes.coverage import annotated_coverage
from socialcli.episodes.reading import BadQuestion, EpisodeRow
from socialcli.episodes.records import Question
from socialcli.runs.manifest import MAX_PROBLEMS
from socialcli.runs.settings import RunSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Selection:
    """The questions of one episode that a run asks, in the file's order; the bad ones fail without being asked."""

    row: EpisodeRow
    questions: tuple[Question | BadQuestion, ...]  # never empty


def select(
    episodes: Iterable[EpisodeRow], settings: RunSettings, tasks: Container[str], tally: Tally, quiet: bool = False
) -> Iterator[Selection]:
    """The questions to ask, episode by episode; `tally` learns what was met on the way.

    A row that names no question is a warning and a problem of the tally. Of a row that is no JSON object nobody knows
    the split, and it counts as one of the run's. The file is read no further than `settings.limit` needs. `quiet`: do
    not log what is met, since the same rows are read once more.
    """
    for row in episodes:
        if row.episode is None and not row.bad_questions:
            if _of_split(row, settings.split):
                _note_unreadable(row, tally, quiet)
            continue
        tally.splits[split_of(row.record)] += 1
        if not _of_split(row, settings.split):
            continue
        found = in_file_order(row)
        tally.episodes += 1
        tally.tasks.update(question.task for question in found if question.task is not None)
        left = None if settings.limit is None else settings.limit - tally.questions
        wanted = tuple(question for question in found if question.task is None or question.task in tasks)[:left]
        tally.questions += len(wanted)
        if wanted:
            if row.episode is not None:
                tally.coverage.add(annotated_coverage(row.episode, settings.box_gap))
            yield Selection(row, wanted)
        if tally.questions == settings.limit:
            return


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
