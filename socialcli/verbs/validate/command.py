"""`socialcli validate`: find the problems of episodes files."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.messages import check_min_coverage, coverage_warning
from socialcli.episodes.coverage.record import Coverage, parse_min_coverage
from socialcli.episodes.tracks import MAX_GAP
from socialcli.errors import InvalidInputError, NotFoundError
from socialcli.options import completion
from socialcli.options.values import FiniteRange
from socialcli.verbs.validate.media import media_problems
from socialcli.verbs.validate.notes import FileNotes, Shown, large_clips, model_named, note_lines

if TYPE_CHECKING:
    from socialcli.episodes.checking.problems import Problem

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Count:
    """The counts of one file. `error` says why it could not be read to its end."""

    file: str
    notes: FileNotes
    episodes: int = 0
    questions: int = 0
    problems: int = 0
    error: str | None = None
    exists: bool = True


@dataclass(slots=True)
class _Report:
    """Prints problems, or collects them for JSON, up to a limit."""

    limit: int
    as_json: bool
    collected: list[dict[str, Any]]
    shown: int = 0

    def add(self, line: str, **fields: Any) -> None:
        """Report one problem, unless the limit is reached."""
        if self.shown == self.limit:
            return
        self.shown += 1
        if self.as_json:
            self.collected.append(fields)
        else:
            click.echo(line)


@click.command(name="validate")
@click.argument("files", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--max-errors",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="Print at most this many problems; all are counted.",
)
@click.option(
    "--media-root",
    type=click.Path(path_type=Path),
    help="Also check that each video exists under this folder and that no folder of images has gaps.",
)
@click.option(
    "--min-coverage",
    metavar="P%",
    help="Exit with 4 if fewer than P% of utterances have a box of their speaker within --box-gap.",
)
@click.option(
    "--box-gap",
    type=FiniteRange(min=0),
    default=MAX_GAP,
    show_default=True,
    help="Count boxes of the speaker within this many seconds of an utterance.",
)
@click.option(
    "--model",
    metavar="NAME",
    shell_complete=completion.models,
    help="Report clips with many visual tokens for this model.",
)
@click.option(
    "--frames", type=click.IntRange(min=1), default=8, show_default=True, help="With --model: frames per clip."
)
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --model: maximum pixels per frame.  [default: the model's own]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def command(
    files: tuple[Path, ...],
    max_errors: int,
    media_root: Path | None,
    min_coverage: str | None,
    box_gap: float,
    model: str | None,
    frames: int,
    max_pixels: int | None,
    as_json: bool,
) -> None:
    """Check episodes files and print each problem.

    FILE is a .parquet, .jsonl or .jsonl.gz file. Each problem is a line `file:row:field: what; what to do`, with rows
    counted from 1. The coverage follows: how many utterances have a box of their speaker near them in time, without
    which they cannot be aligned. Exits with 4 if there is a problem, if two files share an id, or if fewer utterances
    have a box than --min-coverage requires; with 2 if a file is missing.
    """
    if media_root is not None and not media_root.is_dir():
        raise NotFoundError(f"{media_root}: there is no such folder for --media-root")
    if min_coverage is not None:
        parse_min_coverage(min_coverage)
    shown = Shown(box_gap, model_named(model, max_pixels), frames, max_pixels)
    report = _Report(max_errors, as_json, [])
    counter = CoverageCounter()
    counts = [_check_file(path, media_root, shown, report, counter) for path in files]
    coverage = counter.total(box_gap)
    if as_json:
        click.echo(json.dumps(_as_object(counts, report, coverage, shown), ensure_ascii=False, indent=2))
    else:
        for line in note_lines([one.notes for one in counts], [one.file for one in counts], coverage, shown):
            click.echo(line)
        _print_summary(counts, report)
    _raise_for(counts)
    if not any(count.problems for count in counts):
        from socialcli.episodes.file_set import check_distinct

        check_distinct(files)
    check_min_coverage(coverage, min_coverage)
    warning = coverage_warning(coverage) if coverage.is_expected else None
    if warning is not None:
        _log.warning("%s", warning)


def _check_file(path: Path, media_root: Path | None, shown: Shown, report: _Report, counter: CoverageCounter) -> _Count:
    # Imported here so that this command's help does not load jsonschema.
    from socialcli.episodes.checking.box_units import FileBoxes
    from socialcli.episodes.reading import read_episodes

    count = _Count(str(path), FileNotes(report.as_json))
    boxes = FileBoxes()

    def add(problems: Iterable[Problem]) -> None:
        for problem in problems:
            count.problems += 1
            report.add(problem.located(count.file), file=count.file, **asdict(problem))

    try:
        for row in read_episodes(path):
            count.episodes += 1
            count.questions += _questions(row.record)
            if row.episode is not None:
                count.notes.add(row.episode, shown, counter)
            add((*row.problems, *media_problems(row, media_root)))
            boxes.add(row.row, None if row.problems else row.record)
        add(boxes.problems())
    except (InvalidInputError, NotFoundError) as error:
        count.error = str(error)
        count.problems += 1
        count.exists = not isinstance(error, NotFoundError)
        report.add(count.error, file=count.file, row=None, field=None, message=count.error, question=None)
    return count


def _questions(record: Any) -> int:
    questions = record.get("questions") if isinstance(record, dict) else None
    return len(questions) if isinstance(questions, list) else 0


def _print_summary(counts: Sequence[_Count], report: _Report) -> None:
    for count in counts if len(counts) > 1 else ():
        click.echo(f"{count.file}: {_described(count.episodes, count.questions, count.problems)}")
    total = sum(count.problems for count in counts)
    hidden = f" ({report.shown} shown)" if report.shown < total else ""
    name = counts[0].file if len(counts) == 1 else f"{len(counts)} files"
    click.echo(f"{name}: {_described(*_totals(counts))}{hidden}")


def _totals(counts: Iterable[_Count]) -> tuple[int, int, int]:
    rows = [(count.episodes, count.questions, count.problems) for count in counts]
    episodes, questions, problems = (sum(column) for column in zip(*rows, strict=True))
    return episodes, questions, problems


def _described(episodes: int, questions: int, problems: int) -> str:
    return f"{_plural(episodes, 'episode')}, {_plural(questions, 'question')}, {_plural(problems, 'problem')}"


def _plural(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _as_object(counts: Sequence[_Count], report: _Report, coverage: Coverage, shown: Shown) -> dict[str, Any]:
    episodes, questions, problems = _totals(counts)
    return {
        "episodes": episodes,
        "questions": questions,
        "problem_count": problems,
        "problems": report.collected,
        "coverage": coverage.as_record(),
        "notes": large_clips([count.notes for count in counts], shown),
        "files": [
            {
                "file": count.file,
                "episodes": count.episodes,
                "questions": count.questions,
                "problem_count": count.problems,
                "error": count.error,
                "coverage": {
                    **count.notes.coverage.total(shown.box_gap).as_record(),
                    "by_episode": count.notes.by_episode,
                },
            }
            for count in counts
        ],
    }


def _raise_for(counts: Sequence[_Count]) -> None:
    """Raise NotFoundError if a file is missing, else InvalidInputError if one has problems."""
    missing = [count.file for count in counts if not count.exists]
    if missing:
        raise NotFoundError(f"there is no such file: {', '.join(missing)}")
    bad = [count for count in counts if count.problems]
    if bad:
        problems = _plural(sum(count.problems for count in bad), "problem")
        raise InvalidInputError(f"{problems} in {len(bad)} of {_plural(len(counts), 'file')}")
