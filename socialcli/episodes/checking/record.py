"""Find the problems of a record: first its shape (the JSON Schema), then its meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from socialcli.episodes.checking.ids import FirstRows
from socialcli.episodes.checking.messages import explain, shape_test
from socialcli.episodes.checking.problems import Finding, Problem, field_path, shown
from socialcli.episodes.checking.questions import question_findings
from socialcli.episodes.checking.scene import Scene, episode_findings


@dataclass(slots=True)
class Seen:
    """The ids of a file's records so far, each with the row where it first appeared."""

    episodes: FirstRows = field(default_factory=FirstRows)
    questions: FirstRows = field(default_factory=FirstRows)


def check(record: object, row: int, seen: Seen) -> list[Problem]:
    """All problems of `record`, which is row `row` (from 1) of a file with the earlier ids `seen`.

    Adds the record's own ids to `seen`. A malformed part is not checked for meaning: of a malformed episode only the
    ids are checked, and a malformed question is skipped. An empty list means that the record is good.
    """
    findings = [] if shape_test()(record) else explain(record)
    bad_questions = {path[1] for path, _ in findings if _in_question(path)}
    rest_is_good = all(_in_question(path) for path, _ in findings)
    findings.extend(_id_findings(record, row, seen))
    if isinstance(record, Mapping) and rest_is_good:
        findings.extend(_meaning(record, bad_questions))
    return [_problem(row, finding) for finding in findings]


def _in_question(path: tuple[str | int, ...]) -> bool:
    return path[:1] == ("questions",) and len(path) > 1


def _problem(row: int, finding: Finding) -> Problem:
    path, message = finding
    question = int(path[1]) if _in_question(path) else None
    return Problem(row, field_path(path), message, question)


def _id_findings(record: object, row: int, seen: Seen) -> Iterator[Finding]:
    """Repeated ids, in records of any shape; the first record with an id owns it."""
    if not isinstance(record, Mapping):
        return
    yield from _taken(("episode_id",), record.get("episode_id"), row, seen.episodes)
    questions = record.get("questions")
    for index, question in enumerate(questions if isinstance(questions, list) else ()):
        if isinstance(question, Mapping):
            yield from _taken(("questions", index, "id"), question.get("id"), row, seen.questions)


def _taken(path: tuple[str | int, ...], name: object, row: int, rows: FirstRows) -> Iterator[Finding]:
    if isinstance(name, str) and (first := rows.add(name, row)) is not None:
        yield path, f"{shown(name)} is already used in row {first}; give each its own id"


def _meaning(record: Mapping[str, Any], bad_questions: set[str | int]) -> Iterator[Finding]:
    scene = Scene.of(record)
    yield from episode_findings(record, scene)
    for index, question in enumerate(record["questions"]):
        if index not in bad_questions:
            for path, message in question_findings(question, scene):
                yield ("questions", index, *path), message
