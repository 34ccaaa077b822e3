"""Read episodes files as a stream: Parquet, JSONL, and JSONL compressed with gzip."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from socialcli.episodes.checking.problems import Problem
from socialcli.episodes.checking.record import Seen, check
from socialcli.episodes.formats.index_columns import added_keys, log_added
from socialcli.episodes.formats.jsonl import RecordLine, parse_lines, split_lines
from socialcli.episodes.formats.kinds import inspected_suffix
from socialcli.episodes.records import Episode
from socialcli.errors import InvalidInputError
from socialcli.schemas import load_schema


@dataclass(frozen=True, slots=True)
class BadQuestion:
    """A question that cannot be asked, with whatever fields its record has.

    `message` is a line `file:row:field: what; what to do`.
    """

    id: str | None
    task: str | None
    answer: str | None  # the label; it may be what is wrong
    message: str


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One row of an episodes file, checked, for a run.

    `episode` holds the good questions; it is None if the episode as a whole is bad. `bad_questions` are the others, if
    the row gives their ids; `problems` are all problems of the row; `record` is the row as read, None if it is not
    JSON. Messages call the file `source_name`; `folder` is its folder, to which video paths are relative.
    """

    row: int
    source_name: str
    episode: Episode | None
    problems: tuple[Problem, ...]
    record: dict[str, Any] | None
    bad_questions: tuple[BadQuestion, ...]
    folder: Path = Path()


def read_records(path: Path) -> Iterator[RecordLine]:
    """The rows of an episodes file, one in memory at a time (of a Parquet file, a few).

    The problem of a single row is in the row's `problem`. Raises NotFoundError if the file is missing, and
    InvalidInputError if it cannot be read as a whole: at the call, or on reaching the damage.
    """
    return _rows(path, inspected_suffix(path))


def read_checked(path: Path) -> Iterator[tuple[RecordLine, list[Problem]]]:
    """The rows of an episodes file, each with all its problems. Raises as `read_records` does."""
    seen = Seen()
    for line in read_records(path):
        yield line, [line.problem] if line.problem else check(line.record, line.row, seen)


def read_episodes(path: str | Path, source_name: str | None = None) -> Iterator[EpisodeRow]:
    """The rows of an episodes file as episodes. Raises as `read_records` does.

    Messages call the file `source_name`; None: its name without its folder.
    """
    path = Path(path)
    for line, problems in read_checked(path):
        yield _episode_row(line, problems, source_name or path.name, path.parent)


def _rows(path: Path, suffix: str) -> Iterator[RecordLine]:
    any_row = False
    for line in _parquet_rows(path) if suffix == ".parquet" else _json_rows(path, suffix):
        any_row = True
        yield line
    if not any_row:
        raise InvalidInputError(f"{path}: holds no episodes; give a file with at least one")


def _parquet_rows(path: Path) -> Iterator[RecordLine]:
    from socialcli.episodes.formats.parquet import parquet_rows  # imports pyarrow, which JSONL does not need

    return parquet_rows(path)


def _json_rows(path: Path, suffix: str) -> Iterator[RecordLine]:
    row = 0
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file) if suffix == ".jsonl.gz" else file as source:
            for line in parse_lines(split_lines(source)):
                row = line.row
                yield _without_added(path, line)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInputError(f"{path}: is damaged after row {row} ({error}); write it again") from error


def _without_added(path: Path, line: RecordLine) -> RecordLine:
    """The line without the keys that the writing program added as columns."""
    known = load_schema("episode")["properties"]
    if not isinstance(line.record, dict) or not (added := added_keys(line.record, known)):
        return line
    log_added(path, added)
    return replace(line, record={name: value for name, value in line.record.items() if name not in added})


def _episode_row(line: RecordLine, problems: list[Problem], source_name: str, folder: Path) -> EpisodeRow:
    record = line.record if isinstance(line.record, dict) else None
    first: dict[int | None, str] = {}
    for problem in problems:
        first.setdefault(problem.question, problem.located(source_name))
    if record is None or None in first:
        episode, bad = None, _all_questions(record or {}, first[None])
    else:
        episode, bad = _sorted_out(record, first)
    return EpisodeRow(line.row, source_name, episode, tuple(problems), record, bad, folder)


def _sorted_out(record: dict[str, Any], first: Mapping[int | None, str]) -> tuple[Episode, tuple[BadQuestion, ...]]:
    """The episode with its good questions, and the bad questions, each with its first message."""
    numbered = list(enumerate(record["questions"]))
    good = [question for index, question in numbered if index not in first]
    bad = tuple(_bad_question(question, first[index]) for index, question in numbered if index in first)
    return Episode.from_record({**record, "questions": good}), bad


def _all_questions(record: Mapping[str, Any], message: str) -> tuple[BadQuestion, ...]:
    """Every question of a bad record that has an id."""
    questions = record.get("questions")
    found = [_bad_question(item, message) for item in (questions if isinstance(questions, list) else ())]
    return tuple(question for question in found if question.id is not None)


def _bad_question(question: object, message: str) -> BadQuestion:
    fields = question if isinstance(question, dict) else {}
    name, task, answer = (
        value if isinstance(value := fields.get(field), str) else None for field in ("id", "task", "answer")
    )
    return BadQuestion(name, task, _placed_answer(fields) if answer is None else answer, message)


def _placed_answer(fields: Mapping[str, Any]) -> str | None:
    """The answer of a question that gives only its place; None if there is no candidate at that place."""
    place, candidates = fields.get("answer_index"), fields.get("candidates")
    if not isinstance(place, int | float) or not isinstance(candidates, list) or place not in range(len(candidates)):
        return None
    answer = candidates[int(place)]
    return answer if isinstance(answer, str) else None
