"""Answers of a person to the questions that --ask makes: a template to fill in, and the filled table."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from socialcli.converting.labels import normal_id
from socialcli.converting.report import Report
from socialcli.converting.sources import read_text
from socialcli.episodes.records import Episode, Question
from socialcli.files import atomic_write
from socialcli.tasks.base import Task
from socialcli.tasks.coref import Coref
from socialcli.tasks.labels import speaker_labels
from socialcli.tasks.mentioned import Mentioned
from socialcli.tasks.target import Target
from socialcli.words.spelling import folded

from .tables import Row, needs, read_table

ANSWERED = "questions with an answer from --answers"
UNANSWERED = "questions without an answer in --answers"

_TEMPLATE = ("question", "task", "time", "speaker", "text", "candidates", "answer")
_TASKS: Mapping[str, Task] = {task.name: task for task in (Target(), Coref(), Mentioned())}


@dataclass(slots=True)
class Answers:
    """The rows of the table by the id of their question. `asked` collects the questions that were asked."""

    rows: Mapping[str, Row]
    asked: set[str] = field(default_factory=set)

    def fill(self, episode: Episode, report: Report) -> Episode:
        """The episode with the answers of its questions. An answer that is no candidate goes to `report`."""
        return replace(episode, questions=tuple(self._filled(episode, one, report) for one in episode.questions))

    def _filled(self, episode: Episode, question: Question, report: Report) -> Question:
        self.asked.add(question.id)
        row = self.rows.get(question.id)
        if row is None:
            report.count(UNANSWERED)
            return question
        with report.skipping_bad():
            answer = _candidate(row, _candidates(episode, question))
            report.count(ANSWERED)
            return replace(question, answer=answer)
        return question

    def check(self, report: Report) -> None:
        """Report the rows whose question was not asked. Raises SourceError unless bad parts are skipped."""
        for name, row in self.rows.items():
            if name not in self.asked:
                near = difflib.get_close_matches(name, sorted(self.asked), n=1, cutoff=0.6)
                hint = f"did you mean {near[0]!r}? " if near else ""
                message = f"{name!r} is not asked; {hint}--answers-template writes the questions with their ids"
                report.skip_or_raise(row.error("question", message))


def read_answers(path: Path, report: Report) -> Answers:
    """Read the columns question and answer of a CSV file; rows with an empty answer are left out.

    Rows that cannot be used go to `report` as problems. Raises NotFoundError and SourceError.
    """
    rows: dict[str, Row] = {}
    header = needs(question=("question", "question_id", "id"), answer=("answer",))
    for row in read_table(path, read_text(path), header, report):
        if row.values["answer"]:
            with report.skipping_bad():
                name = row.text("question")
                if rows.setdefault(name, row).values["answer"] != row.values["answer"]:
                    message = f"{name!r} has the answer {rows[name].values['answer']!r} above; give only one"
                    raise row.error("answer", message)
    return Answers(rows)


class AnswersTemplate:
    """Collects questions, and writes a table of them in which a person fills in the last column."""

    def __init__(self) -> None:
        """Begin with no questions."""
        self._rows: list[Sequence[str]] = []

    def add(self, episode: Episode) -> None:
        """Add the questions of an episode, with the answers that they have."""
        lines = {line.id: line for line in episode.utterances}
        names = {person.id: person.name or person.id for person in episode.speakers}
        for question in episode.questions:
            line = lines[str(question.utterance)]
            text = line.text
            if question.span is not None:
                start, end = question.span
                text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
            speaker = "" if line.speaker is None else names[line.speaker]
            candidates = " | ".join(_candidates(episode, question).values())
            time = f"{line.start:.2f}"
            self._rows.append((question.id, question.task, time, speaker, text, candidates, question.answer or ""))

    def write(self, path: Path) -> None:
        """Write the table. Raises OSError if it cannot be written."""
        write_table(path, _TEMPLATE, self._rows)


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a CSV file atomically. Raises OSError if it cannot be written."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())


def _candidates(episode: Episode, question: Question) -> dict[str, str]:
    """The candidates of a question by id, as the template shows them: "ben", or "x17 (Carla)" if the name differs."""
    names = {person.id: person.name for person in episode.speakers}
    task = _TASKS[question.task]
    found = task.candidates(episode, question, speaker_labels(episode.speakers, task.named))
    return {one.id: _shown(one.id, names.get(one.id)) for one in found}


def _shown(speaker: str, name: str | None) -> str:
    return speaker if name is None or folded(name) == folded(speaker) else f"{speaker} ({name})"


def _candidate(row: Row, candidates: Mapping[str, str]) -> str:
    """The candidate that a row's answer names, by id or, if only one has it, by name. Raises SourceError."""
    answer = normal_id(row.text("answer"))
    if answer in candidates:
        return answer
    found = [one for one, shown in candidates.items() if folded(answer) in set(_spellings(one, shown))]
    if len(found) != 1:
        listed = ", ".join(candidates.values())
        raise row.error("answer", f"is {answer!r}, which is no candidate of the question: {listed}; correct it")
    return found[0]


def _spellings(speaker: str, shown: str) -> Iterator[str]:
    yield folded(speaker)
    yield folded(shown)
    yield folded(shown.removeprefix(f"{speaker} (").removesuffix(")"))
