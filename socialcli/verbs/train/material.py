"""The labelled questions of an episodes file, by split: what to learn from, and what to be judged by."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from socialcli.episodes.reading import EpisodeRow
from socialcli.episodes.records import Episode, Question
from socialcli.errors import InvalidInputError, UsageError
from socialcli.jobs.splits import VALIDATION_NAMES
from socialcli.verbs.train.settings import TrainSettings


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What there is to learn from, and to be judged by."""

    training: Sequence[tuple[Episode, Sequence[Question]]]
    validation: Sequence[tuple[Episode, Sequence[Question]]]
    unlabelled: int  # questions without an answer, in both
    problems: Sequence[str]  # of rows and questions that cannot be read


def read_material(rows: Iterable[EpisodeRow], settings: TrainSettings, tasks: Container[str]) -> Material:
    """The labelled questions of the tasks, by episode and split.

    All episodes are kept in memory without their pictures: each epoch has them in another order. Raises
    InvalidInputError where there is nothing to learn from.
    """
    by_split: dict[str | None, list[tuple[Episode, Sequence[Question]]]] = {}
    unlabelled, problems, asked = 0, [], 0
    for row in rows:
        problems += [problem.located(row.source_name) for problem in row.problems]
        if row.episode is None:
            continue
        mine = [question for question in row.episode.questions if question.task in tasks]
        labelled = [question for question in mine if question.answer is not None]
        asked += len(mine)
        unlabelled += len(mine) - len(labelled)
        if labelled:
            by_split.setdefault(row.episode.split, []).append((row.episode, labelled))
    source = settings.ask.selection.episodes
    if not by_split:
        what = f"none of the {asked} questions of the tasks has an answer" if asked else "the tasks have no questions"
        raise InvalidInputError(f"{source}: there is nothing to learn from: {what}")
    validation = _validation_split(settings, by_split)
    training = [
        one
        for split, episodes in by_split.items()
        if (split != validation if settings.train_split is None else split == settings.train_split)
        for one in episodes
    ]
    if not training:
        found = ", ".join(sorted(repr(split) for split in by_split))
        raise UsageError(
            f"--train-split {settings.train_split!r}: {source} has no labelled question of that split; it has {found}"
        )
    judged = by_split.get(validation, []) if validation is not None else []
    return Material(training, judged, unlabelled, problems)


def _validation_split(settings: TrainSettings, found: Mapping[str | None, object]) -> str | None:
    wanted = settings.validation_split
    if wanted is None:
        return next((name for name in VALIDATION_NAMES if name in found), None)
    if wanted == settings.train_split:
        raise UsageError(f"--validation-split {wanted!r} is the training split; name a split that is not trained on")
    if wanted not in found:
        raise UsageError(
            f"--validation-split {wanted!r}: {settings.ask.selection.episodes} has no labelled question of that split"
        )
    return wanted
