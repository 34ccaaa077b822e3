"""`socialcli run`: ask a model the questions of an episodes file, and write predictions and accuracy."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from socialcli.options.config import config_option
from socialcli.options.from_settings import setting_options, settings_from
from socialcli.options.results import (
    check_failed_answers,
    former_seed_option,
    json_option,
    output_option,
    overwrite_option,
    retry_failed_option,
)
from socialcli.options.verbosity import logging_options
from socialcli.settings.alignment import AlignmentSettings
from socialcli.settings.fields import settings_of
from socialcli.settings.run import RunSettings, run_settings

if TYPE_CHECKING:
    from socialcli.jobs.request import JobRequest, RunResult
    from socialcli.results.manifest import Manifest
    from socialcli.stats.accuracy import AccuracyRow

_log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

_ARGUMENTS = frozenset({"episodes", "more_episodes"})  # of the settings: no options
_OF_THE_ALIGNMENT = {one.parameter: one.default for one in settings_of(AlignmentSettings) if one.key != "alignment"}


def run_options(function: F) -> F:
    """Give a command the options of `run` but for its folder: `settings_of_run` takes all but `retry_failed`."""
    return setting_options(run_settings(but=_ARGUMENTS))(former_seed_option(retry_failed_option("run")(function)))


@click.command("run", short_help="Ask a model the questions of EPISODES; write answers and accuracy.")
@click.argument("episodes", metavar="EPISODES...", type=click.Path(path_type=Path), nargs=-1, required=True)
@config_option
@output_option("predictions.parquet", "accuracy.parquet")
@overwrite_option("the results in the folder")
@run_options
@json_option
@logging_options
def command(output: Path, overwrite: bool, retry_failed: bool, as_json: bool, **options: Any) -> None:
    """Ask a model the questions of EPISODES (Parquet, JSONL or .jsonl.gz; one file, or several that share no id),
    and write predictions.parquet, accuracy.parquet and run.json.

    Answers are saved as they are made. The same command again resumes an interrupted run, asks again what depends on a
    file that has changed, and does nothing if all is done.

    Standard output ends with a table of accuracy by task and condition.

    Exit codes: 0 done, 2 usage, 3 more failures than --max-failures, 4 unreadable EPISODES or less coverage than
    --min-coverage, 5 another process is using the folder, 130 interrupted, 143 terminated. Answers so far are always
    kept.
    """
    from socialcli.episodes.coverage.messages import coverage_line
    from socialcli.jobs.finished import find_finished
    from socialcli.jobs.request import JobRequest
    from socialcli.plugins.registry import registry
    from socialcli.stats.summary import summary_json, summary_lines

    request = JobRequest(settings_of_run(options), output, overwrite, sys.argv, retry_failed)

    def print_json(manifest: Manifest, accuracy: Sequence[AccuracyRow] = ()) -> None:
        click.echo(json.dumps(summary_json(accuracy, output, manifest), ensure_ascii=False))

    result = find_finished(request, registry()) or _run(request, print_json if as_json else lambda _: None)
    if as_json:
        print_json(result.manifest, result.accuracy)
    else:
        click.echo(summary_lines(result.accuracy))
        if result.manifest.coverage is not None:
            click.echo(coverage_line(result.manifest.coverage))
    check_failed_answers(result.manifest, output, "run.json")


def _run(request: JobRequest, on_abort: Callable[[Manifest], None]) -> RunResult:
    from socialcli.jobs.progress import shown
    from socialcli.plugins.registry import registry
    from socialcli.verbs.run.work import execute

    return execute(request, registry(), shown, on_abort)


def settings_of_run(options: dict[str, Any]) -> RunSettings:
    """The settings that `run_options` and `episodes` come to. Raises UsageError."""
    first, *more = map(str, options["episodes"])
    settings = settings_from({**options, "episodes": first, "more_episodes": tuple(more)})
    for option, reason in _without_effect(settings.alignment):
        if options[option] != _OF_THE_ALIGNMENT[option]:
            _log.warning("--%s changes nothing %s", option.rstrip("_").replace("_", "-"), reason)
    if settings.prompt.permute is None and settings.prompt.permute_seed:
        _log.warning("--permute-seed changes nothing without --permute")
    return settings


def _without_effect(settings: AlignmentSettings) -> Iterator[tuple[str, str]]:
    """The options of the alignment that change nothing, and why."""
    from socialcli.plugins.registry import registry

    if settings.mode == "off":
        yield from ((option, "with --alignment off") for option in _OF_THE_ALIGNMENT)
        return
    selector, mode = registry().head_selector(settings.heads_by).item, registry().steering_mode(settings.steer).item
    if settings.heads is None:
        yield from ((option, "without --heads") for option in ("heads_rank", "heads_min_share"))
    else:
        yield from ((option, "with --heads") for option in ("lambda_", "layers"))
    if settings.heads_rank == "gaze":
        yield "heads_min_share", "with --heads-rank gaze"
    if not selector.limited:
        yield "max_heads", f"with --heads-by {selector.name}"
    if not selector.seeded:
        yield "heads_seed", f"with --heads-by {selector.name}"
    if not mode.balances:
        yield "balance", f"with --steer {mode.name}"
    if settings.regions != "model":
        yield "region_share", f"with --regions {settings.regions}"
