"""Gold labels from another episodes file, applied to existing predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode, Question, place_of
from socialcli.errors import AnnotationError
from socialcli.results.predictions import is_correct
from socialcli.tasks.base import Task
from socialcli.tasks.labels import speaker_labels


@dataclass(frozen=True, slots=True)
class GoldLabel:
    """The gold answer of a question, with its candidates."""

    answer: str | None  # None: unlabelled
    candidates: tuple[str, ...] | None  # None: unknown, for the task's plug-in is not installed
    place: int | None = None  # of the answer among the candidates; None: unknown

    def fits(self, candidates: Iterable[str] | None) -> bool:
        """Whether the label belongs to a question with these candidates; None stands for any."""
        if candidates is None:
            return True
        if self.candidates is None:
            return self.answer is None or self.answer in candidates
        return Counter(self.candidates) == Counter(candidates)

    def place_in(self, candidates: Sequence[str] | None) -> int | None:
        """The place of the answer among the candidates of a row; None if it has several or none."""
        return None if candidates is None else place_of(self.answer, self.place, self.candidates, candidates)


@dataclass(frozen=True, slots=True)
class GoldLabels:
    """The labels of an episodes file. Memory grows with its questions."""

    path: Path
    by_question: Mapping[tuple[str, str], GoldLabel]  # by id and task, without invalid questions
    problems: int  # in the file

    @classmethod
    def read(cls, path: Path, tasks: Mapping[str, Task]) -> GoldLabels:
        """Read an episodes file; `tasks` give the candidates of questions that do not list them.

        Raises NotFoundError if there is no such file, and InvalidInputError if it cannot be read as a whole.
        """
        found: dict[tuple[str, str], GoldLabel] = {}
        problems = 0
        for row in read_episodes(path):
            problems += len(row.problems)
            if row.episode is None:
                continue
            for question in row.episode.questions:
                label = _label(row.episode, question, tasks.get(question.task))
                if label is None:
                    problems += 1
                else:
                    found[question.id, question.task] = label
        return cls(path, found, problems)

    def warnings(self) -> list[str]:
        """Warnings about the file."""
        if not self.problems:
            return []
        return [
            f"{self.path}: has {self.problems} problems, and its invalid questions count as missing; "
            "`socialcli validate` lists them"
        ]


class Relabelling:
    """Replaces the gold answers of rows by those of `labels`, and counts the rows without one."""

    def __init__(self, labels: GoldLabels) -> None:
        """Start with no rows counted."""
        self._labels = labels
        self._absent = _Misses("are of questions missing from it")
        self._other = _Misses("are of questions with other candidates in it")
        self._moved = _Misses("have several candidates equal to the answer, in another order than it")
        self._rows = 0

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """The rows with `answer` and `correct` according to the labels; without a matching label, both are None.

        The old gold answer is dropped even if the file has none: a table must not mix two sources of gold answers.
        """
        for row in rows:
            self._rows += 1
            answer, place = self._answer(row)
            correct = is_correct(row["prediction"], row["prediction_index"], answer, place)
            yield {**row, "answer": answer, "answer_index": place, "correct": correct}

    def warnings(self) -> list[str]:
        """How many of the rows so far became unlabelled, and why."""
        missed = [misses for misses in (self._absent, self._other, self._moved) if misses.count]
        if not missed:
            return []
        count = sum(misses.count for misses in missed)
        return [f"{self._labels.path}: {count} of {self._rows} rows count as unlabelled: {', '.join(map(str, missed))}"]

    def _answer(self, row: Mapping[str, Any]) -> tuple[str | None, int | None]:
        """The gold answer of a row, and its place among the row's candidates."""
        label = self._labels.by_question.get((row["question_id"], row["task"]))
        if label is None:
            self._absent.add(row)
            return None, None
        candidates = row["candidates"]
        if not label.fits(candidates):
            self._other.add(row)
            return None, None
        place = label.place_in(candidates)
        if place is None and label.answer is not None and candidates is not None and label.answer in candidates:
            self._moved.add(row)
            return None, None
        return label.answer, place


@dataclass(slots=True)
class _Misses:
    """Rows without a label, for one reason."""

    reason: str
    count: int = 0
    first: str = ""

    def add(self, row: Mapping[str, Any]) -> None:
        self.first = self.first or row["question_id"]
        self.count += 1

    def __str__(self) -> str:
        return f"{self.count} {self.reason} ({self.first!r} first)"


def _label(episode: Episode, question: Question, task: Task | None) -> GoldLabel | None:
    """The label of a question; None if the question is invalid for its task."""
    if task is None:
        return _placed(question, question.candidates)
    try:
        candidates = task.candidates(episode, question, speaker_labels(episode.speakers, task.named))
    except AnnotationError:
        return None
    return _placed(question, tuple(candidate.id for candidate in candidates))


def _placed(question: Question, candidates: tuple[str, ...] | None) -> GoldLabel:
    return GoldLabel(question.answer, candidates, None if candidates is None else question.place_of_answer(candidates))
