"""`socialcli accuracy`: the accuracy tables of predictions that are there already."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from socialcli.errors import UsageError
from socialcli.options.gold import answers_option, read_labels
from socialcli.options.output_file import check_apart, check_new_table
from socialcli.options.results import json_option, overwrite_option
from socialcli.options.verbosity import logging_options

if TYPE_CHECKING:
    from socialcli.stats.sources import Source

_log = logging.getLogger(__name__)


@click.command("accuracy", short_help="Compute accuracy tables again from predictions.")
@click.argument("folders", metavar="DIR...", type=click.Path(path_type=Path), nargs=-1, required=True)
@answers_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the table too, as accuracy.parquet has it, to a .csv, .jsonl or .parquet file; that of several "
    "folders has a column `folder` first.",
)
@overwrite_option("the file of --output")
@click.option("--write", is_flag=True, help="Replace the accuracy.parquet of each folder.")
@json_option
@logging_options
def command(
    folders: tuple[Path, ...],
    answers: Path | None,
    output: Path | None,
    overwrite: bool,
    write: bool,
    as_json: bool,
) -> None:
    """Compute accuracy tables again from predictions, and print them as `socialcli run` does.

    DIR is the output folder of a run or sweep, or a file of predictions. Several folders make one table. The folders
    are left as they are, unless --write is given. A failed or unparsed answer is wrong; with --answers, a row whose
    question is not in EPISODES, or has other candidates there, counts as unlabelled.

    Exit codes: 0 done, 2 usage, 4 predictions or EPISODES cannot be read.
    """
    from socialcli.stats.accuracy import write_accuracy
    from socialcli.stats.sources import Source
    from socialcli.verbs.accuracy.work import recount, recount_lines, write_recounts

    check_new_table("--output", output, overwrite)
    sources = [Source.find(path) for path in folders]
    check_apart("--output", output, sources)
    if write:
        _check_write(sources, answers)
    labels = read_labels(answers)
    recounts = [recount(source, labels) for source in sources]
    for warning in dict.fromkeys(text for one in recounts for text in one.warnings):
        _log.warning("%s", warning)
    if output is not None:
        write_recounts(output, recounts)
    for one in recounts if write else ():
        if one.source.folder is not None:
            write_accuracy(one.source.folder.accuracy, one.table)
    if as_json:
        click.echo(json.dumps({"folders": [one.as_record() for one in recounts]}, ensure_ascii=False))
    else:
        click.echo(recount_lines(recounts))


def _check_write(sources: Sequence[Source], answers: Path | None) -> None:
    """Raise UsageError where `--write` would leave a table that is not of the predictions beside it."""
    if answers is not None:
        raise UsageError(
            "--write keeps a folder's table true to its predictions, which --answers would not; use --output"
        )
    for source in sources:
        if source.folder is None:
            raise UsageError(f"--write: {source.path} is no folder of a run; name its table with --output")
        if source.parts:
            raise UsageError(f"--write: the run in {source.path} has not ended; name its table so far with --output")
