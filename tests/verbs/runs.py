"""Runs of the real command on the sample's tiny checkpoints, and what they left."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from socialcli.cli import main
from socialcli.results.parts import PartWriter
from socialcli.results.predictions import Prediction

from ..conftest import SAMPLE
from ..results.samples import validator

Record = dict[str, Any]
Row = dict[str, Any]

FAMILY = "llava-next-video"  # where one will do, the quickest
SAMPLE_FILE = SAMPLE / "episodes.jsonl"


@dataclass(frozen=True)
class Run:
    """What a command left: its exit code, what it printed, and its folder."""

    code: int
    stdout: str
    stderr: str
    output: Path

    @property
    def rows(self) -> list[Row]:
        return pq.read_table(self.output / "predictions.parquet").to_pylist()

    @property
    def accuracy(self) -> list[Row]:
        return pq.read_table(self.output / "accuracy.parquet").to_pylist()

    @property
    def manifest(self) -> Record:
        manifest: Record = json.loads((self.output / "run.json").read_text(encoding="utf-8"))
        return manifest

    def by_id(self, alignment: bool = True) -> dict[str, Row]:
        """The rows of one condition by their question."""
        return {row["question_id"]: row for row in self.rows if row["alignment"] is alignment}

    def validated(self) -> Run:
        """The run, once its files have been held against their schemas."""
        check = validator("prediction")
        for row in self.rows:
            check.validate(row)
        validator("run").validate(self.manifest)
        return self


def run(
    episodes: Path,
    output: Path,
    *options: str,
    family: str = FAMILY,
    tasks: Sequence[str] = ("mentioned",),
    environment: Mapping[str, str] | None = None,
) -> Run:
    """`socialcli run` on a family's sample checkpoint; what `options` name wins."""
    named = [part for task in tasks for part in ("--task", task)]
    model = ["--model", family, "--checkpoint", str(SAMPLE / "checkpoints" / family)]
    return command("run", str(episodes), *model, *named, "-o", str(output), *options, environment=environment)


def command(*arguments: str, environment: Mapping[str, str] | None = None) -> Run:
    """`socialcli` in this process; the folder is what `-o` names.

    Of an option that takes one value the last one is given: tests name again what their helpers give for all.
    """
    arguments = last_of_each(arguments)
    result = CliRunner().invoke(main, arguments, env=dict(environment or {}))
    output = arguments[arguments.index("-o") + 1] if "-o" in arguments else "."
    return Run(result.exit_code, result.stdout, result.stderr, Path(output))


def last_of_each(arguments: Sequence[str]) -> tuple[str, ...]:
    """A command line without the values of single-valued options that later ones replace."""
    found: click.Command | None = main
    for word in arguments:
        if not isinstance(found, click.Group):
            break
        found = found.get_command(click.Context(found), word)
    options = [one for one in found.params if isinstance(one, click.Option)] if found is not None else []
    single = {
        name: option
        for option in options
        if not (option.multiple or option.is_flag or option.count)
        for name in option.opts
    }
    groups: list[tuple[object, tuple[str, ...]]] = []
    words = iter(arguments)
    for word in words:
        option = single.get(word)
        value = next(words, None) if option is not None else None
        if option is not None:
            groups = [one for one in groups if one[0] is not option]
        groups.append((option, (word,) if value is None else (word, value)))
    return tuple(word for _, group in groups for word in group)


@cache
def sample_records() -> tuple[str, ...]:
    """The lines of the sample."""
    return tuple(SAMPLE_FILE.read_text(encoding="utf-8").splitlines())


def record(index: int = 0) -> Record:
    """An episode of the sample, to be changed."""
    found: Record = json.loads(sample_records()[index])
    return found


def small(index: int, **changes: Any) -> Record:
    """An episode of the sample with its first two questions."""
    episode = record(index)
    return {**episode, "questions": episode["questions"][:2], **changes}


@contextmanager
def interrupted_after(batches: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In here, work is interrupted when so many batches of answers have been kept."""
    write_part, calls = PartWriter.write, 0

    def write_some(self: PartWriter[Prediction], questions: Sequence[Sequence[Prediction]]) -> None:
        nonlocal calls
        write_part(self, questions)
        calls += bool(questions)
        if calls == batches:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PartWriter, "write", write_some)
        yield


def mentioned(episode: Record) -> Record:
    """The first of its questions of that task."""
    question: Record = next(item for item in episode["questions"] if item["task"] == "mentioned")
    return question


def write(path: Path, lines: Iterable[Record | str]) -> Path:
    """Write an episodes file; a text is a line as it stands."""
    texts = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def question_ids(tasks: Sequence[str] | None = None, lines: Iterable[str] | None = None) -> list[str]:
    """The questions of the sample, or of other lines, in their order."""
    records = [json.loads(line) for line in lines or sample_records()]
    return [item["id"] for one in records for item in one["questions"] if tasks is None or item["task"] in tasks]


def close(one: Sequence[float] | None, other: Sequence[float] | None, by: float = 1e-5) -> bool:
    """Whether two rows' scores are the same but for rounding."""
    if one is None or other is None:
        return one is other
    return len(one) == len(other) and all(math.isclose(a, b, abs_tol=by) for a, b in zip(one, other, strict=True))


def assert_reported(done: Run, code: int, *parts: str) -> None:
    """The run ended with `code` and one error, whose line holds `parts`."""
    assert done.code == code, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.lower().startswith(("socialcli: error:", "error:"))]
    assert len(errors) == 1, done.stderr
    for part in parts:
        assert part in errors[0]


def shell_environment(site: Path | None = None) -> dict[str, str]:
    """The environment of a command in a process of its own, which imports what this one does."""
    first = [str(site)] if site else []
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*first, *sys.path]), "HF_HUB_OFFLINE": "1"}
