"""`socialcli validate`: what is wrong with episodes files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.errors import InvalidInputError, NotThereError, VideoError

if TYPE_CHECKING:
    from socialcli.episodes.lines import RecordLine
    from socialcli.episodes.problems import Problem


@dataclass(slots=True)
class _Count:
    """What one file holds. `error` says why it could not be read, or not to its end."""

    file: str
    episodes: int = 0
    questions: int = 0
    problems: int = 0
    error: str | None = None
    there: bool = True


@dataclass(slots=True)
class _Report:
    """Prints problems, or keeps them for JSON, up to a limit."""

    limit: int
    as_json: bool
    kept: list[dict[str, Any]]
    shown: int = 0

    def add(self, line: str, **fields: Any) -> None:
        """Show one problem, unless enough are shown."""
        if self.shown == self.limit:
            return
        self.shown += 1
        if self.as_json:
            self.kept.append(fields)
        else:
            click.echo(line)


@click.command(name="validate")
@click.argument("files", metavar="FILE...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--max-errors",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="Stop printing problems after so many; all are counted.",
)
@click.option(
    "--media-root",
    type=click.Path(path_type=Path),
    help="Check too that each video is there, under this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def command(files: tuple[Path, ...], max_errors: int, media_root: Path | None, as_json: bool) -> None:
    """Check episodes files and print each problem.

    FILE is a .parquet, .jsonl or .jsonl.gz file. A problem is a line `file:row:field: what; what to do`, with
    rows counted from 1. Exits with 4 where there is one, and where two files have an id in common; with 2 where a file
    is not there.
    """
    if media_root is not None and not media_root.is_dir():
        raise NotThereError(f"{media_root}: there is no such folder for --media-root")
    report = _Report(max_errors, as_json, [])
    counts = [_check_file(path, media_root, report) for path in files]
    if as_json:
        click.echo(json.dumps(_as_object(counts, report), ensure_ascii=False, indent=2))
    else:
        _print_summary(counts, report)
    _raise_for(counts)
    if not any(count.problems for count in counts):
        from socialcli.episodes.several import check_distinct

        check_distinct(files)


def _check_file(path: Path, media_root: Path | None, report: _Report) -> _Count:
    # Here, so that showing the help of this command does not load jsonschema.
    from socialcli.episodes.reading import read_checked
    from socialcli.episodes.units import FileBoxes

    count = _Count(str(path))
    boxes = FileBoxes()
    try:
        for line, problems in read_checked(path):
            count.episodes += 1
            count.questions += _questions(line.record)
            for problem in (*problems, *_media_problems(line, media_root)):
                count.problems += 1
                report.add(problem.located(count.file), file=count.file, **asdict(problem))
            boxes.add(line.row, None if problems else line.record)
        for problem in boxes.problems():
            count.problems += 1
            report.add(problem.located(count.file), file=count.file, **asdict(problem))
    except (InvalidInputError, NotThereError) as error:
        count.error = str(error)
        count.problems += 1
        count.there = not isinstance(error, NotThereError)
        report.add(count.error, file=count.file, row=None, field=None, message=count.error, question=None)
    return count


def _questions(record: Any) -> int:
    questions = record.get("questions") if isinstance(record, dict) else None
    return len(questions) if isinstance(questions, list) else 0


def _media_problems(line: RecordLine, media_root: Path | None) -> Iterator[Problem]:
    """What keeps a run from opening the record's video, as far as the record names one."""
    video = line.record.get("video") if isinstance(line.record, dict) else None
    path = video.get("path") if isinstance(video, dict) else None
    if media_root is None or not isinstance(video, dict) or not isinstance(path, str):
        return
    from socialcli.episodes.problems import Problem
    from socialcli.video.media import resolve_media  # what the video package imports is heavy

    try:
        place = resolve_media(media_root, path)
    except VideoError as error:
        yield Problem(line.row, "video.path", str(error))
        return
    if place.is_dir() and video.get("fps") is None:
        message = "is missing, and the video is a folder of images; add their number per second"
        yield Problem(line.row, "video.fps", message)


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


def _as_object(counts: Sequence[_Count], report: _Report) -> dict[str, Any]:
    episodes, questions, problems = _totals(counts)
    return {
        "episodes": episodes,
        "questions": questions,
        "problem_count": problems,
        "problems": report.kept,
        "files": [
            {
                "file": count.file,
                "episodes": count.episodes,
                "questions": count.questions,
                "problem_count": count.problems,
                "error": count.error,
            }
            for count in counts
        ],
    }


def _raise_for(counts: Sequence[_Count]) -> None:
    """End the command as its worst file deserves. Raises NotThereError, InvalidInputError, or nothing."""
    missing = [count.file for count in counts if not count.there]
    if missing:
        raise NotThereError(f"there is no such file: {', '.join(missing)}")
    bad = [count for count in counts if count.problems]
    if bad:
        problems = _plural(sum(count.problems for count in bad), "problem")
        raise InvalidInputError(f"{problems} in {len(bad)} of {_plural(len(counts), 'file')}")
