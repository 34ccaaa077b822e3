"""`socialcli plan`: what a run would do, and what would go wrong, without the weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.errors import TooManyFailuresError
from socialcli.options.config import config_option_of
from socialcli.options.results import ResultPath, json_option, overwrite_option
from socialcli.options.verbosity import logging_options
from socialcli.verbs.run.command import run_options, settings_of_run

if TYPE_CHECKING:
    from socialcli.verbs.plan.work import Plan


@click.command("plan", short_help="Show what a run would do, and what would fail, without the weights.")
@click.argument("episodes", metavar="EPISODES...", type=click.Path(path_type=Path), nargs=-1, required=True)
@config_option_of("run")
@click.option(
    "-o",
    "--output",
    type=ResultPath("predictions.parquet", "accuracy.parquet"),
    help="The folder of the run, to see what of it is done already.",
)
@overwrite_option("the results that the folder holds: nothing counts as done")
@run_options
@json_option
@logging_options
def command(output: Path | None, overwrite: bool, retry_failed: bool, as_json: bool, **options: Any) -> None:
    """Show what `socialcli run` with the same options would do: questions by task, what is done already, tokens per
    question, the memory that weights and the longest prompt take, how many utterances reach a visual token of their
    speaker, and every answer that would fail.

    Clips are read and prompts are made as in a run; the model's configuration and processor are enough. Nothing is
    written. Exits with 3 where more answers would fail than --max-failures allows, and with 4 where
    fewer utterances are covered than --min-coverage asks for.
    """
    from socialcli.episodes.coverage.text import check_min_coverage
    from socialcli.plugins.registry import registry
    from socialcli.results.folder import OutputFolder
    from socialcli.verbs.plan.work import plan, plan_lines

    settings = settings_of_run(options)
    folder = None if output is None or overwrite else OutputFolder(output)
    found = plan(settings, folder, retry_failed, registry())
    click.echo(json.dumps(found.as_record(), ensure_ascii=False) if as_json else plan_lines(found))
    if settings.alignment.mode != "off":
        check_min_coverage(found.coverage, settings.checks.min_coverage)
    _check(found, settings.checks.max_failures)


def _check(found: Plan, allowed: str | None) -> None:
    from socialcli.settings.failures import FailureLimit

    failures = found.failures + found.failed_before
    if FailureLimit.parse(allowed).exceeded(failures, found.rows + found.unreadable):
        raise TooManyFailuresError(f"{failures} answers would fail, more than --max-failures {allowed or 0} allows")
