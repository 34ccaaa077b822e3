"""`socialcli agreement`: how well an annotation agrees with a reference."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import click

from socialcli.agreement.criteria import COLLAR, LEAST_IOU, MATCHES, Criteria, Match
from socialcli.episodes.tracks import MAX_GAP
from socialcli.errors import UsageError
from socialcli.options.output_file import check_new_table
from socialcli.options.results import json_option, overwrite_option
from socialcli.options.values import FiniteRange
from socialcli.options.verbosity import logging_options

_log = logging.getLogger(__name__)


@click.command("agreement", short_help="Measure how well an annotation agrees with a reference.")
@click.argument("reference", metavar="REFERENCE", type=click.Path(path_type=Path))
@click.argument("episodes", metavar="EPISODES", type=click.Path(path_type=Path))
@click.option(
    "--match",
    type=click.Choice(MATCHES),
    default="recording",
    show_default=True,
    help="Match speakers by shared speech and overlapping boxes, once per recording or once per episode; or take ids "
    "as they are.",
)
@click.option(
    "--iou",
    type=FiniteRange(min=0, max=1, min_open=True),
    default=LEAST_IOU,
    show_default=True,
    help="Smallest intersection over union at which two boxes agree.",
)
@click.option(
    "--collar",
    type=FiniteRange(min=0),
    default=COLLAR,
    show_default=True,
    help="Seconds before and after each boundary of the reference's utterances that the diarization error rate leaves "
    "out.",
)
@click.option(
    "--box-gap",
    type=FiniteRange(min=0),
    default=MAX_GAP,
    show_default=True,
    help="Interpolate a speaker's boxes over at most this many seconds, in both files.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the measures, over all episodes and of each, to a .csv, .jsonl or .parquet file.",
)
@overwrite_option("the file of --output")
@json_option
@logging_options
def command(
    reference: Path,
    episodes: Path,
    match: Match,
    iou: float,
    collar: float,
    box_gap: float,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Compare the annotation in EPISODES, automatic or by a second annotator, with that in REFERENCE.

    Both are episodes files. Videos are paired by path, else by file name, else by common episode ids, and compared
    over the time that both files cover, whatever the windows. Prints the share of utterances with the right speaker,
    diarization and Jaccard error rate, the share of boxes of the right person, mean IoU, MOTA, IDF1, identity
    switches, and missed and false people, each with its counts and a 95 % interval by episode.

    Exit codes: 0 done, 2 usage, 4 a file cannot be read, or the files have no video or time in common.
    """
    from socialcli.agreement.table import AGREEMENT_ARROW_SCHEMA
    from socialcli.results.formats import write_table
    from socialcli.verbs.agreement.summary import agreement_lines, agreement_record
    from socialcli.verbs.agreement.work import agreement

    check_new_table("--output", output, overwrite)
    if output is not None and output.resolve() in {reference.resolve(), episodes.resolve()}:
        raise UsageError(f"--output {output}: is an episodes file to compare; name another file")
    result = agreement(reference, episodes, Criteria(match, iou, collar, box_gap))
    for warning in result.warnings:
        _log.warning("%s", warning)
    if output is not None:
        write_table(output, [row.as_record() for row in result.table], AGREEMENT_ARROW_SCHEMA)
    click.echo(
        json.dumps(agreement_record(result), ensure_ascii=False, allow_nan=False)
        if as_json
        else agreement_lines(result)
    )
