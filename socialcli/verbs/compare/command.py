"""`socialcli compare`: two runs, or two conditions of one, held against each other question by question."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from socialcli.options.gold import answers_option, read_labels
from socialcli.options.output_file import check_apart, check_new_table
from socialcli.options.results import json_option, overwrite_option
from socialcli.options.verbosity import logging_options

if TYPE_CHECKING:
    from socialcli.verbs.compare.conditions import Side

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger(__name__)


def _condition_option(side: str) -> Callable[[F], F]:
    """Give a command `condition_a` or `condition_b`, a tuple of texts."""
    return click.option(
        f"--condition-{side.lower()}",
        multiple=True,
        metavar="on|off|COLUMN=VALUE",
        help=f"Which condition of {side}, where it has several: alignment on or off, or a column's value (- for null), "
        "as in alpha=2. May be repeated.",
    )


@click.command("compare", short_help="Compare two runs, question by question.")
@click.argument("a", metavar="A", type=click.Path(path_type=Path))
@click.argument("b", metavar="[B]", type=click.Path(path_type=Path), required=False)
@_condition_option("A")
@_condition_option("B")
@answers_option
@click.option(
    "--flips",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the questions that one side alone has right, to a .csv, .jsonl or .parquet file.",
)
@overwrite_option("the file of --flips")
@json_option
@logging_options
def command(
    a: Path,
    b: Path | None,
    condition_a: Sequence[str],
    condition_b: Sequence[str],
    answers: Path | None,
    flips: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Compare the answers of two runs to the same questions: output folders of runs or sweeps, or files of predictions.

    With A alone its conditions are compared, the unaligned (A) with the aligned one (B). Where both runs have both
    conditions, each is compared with its like. Prints for each task both accuracies, their difference (B - A) in points
    with a 95 % interval clustered by episode, how many questions one side alone has right, and the two-sided p-value of
    an exact test that flips signs by episode; beside it that of McNemar's test, which takes questions to be
    independent. Failed and unparsed answers are wrong.

    Exit codes: 0 done, 2 usage, 4 predictions or EPISODES cannot be read, or the runs have no question in common, or
    common questions have other candidates or another right answer.
    """
    from socialcli.verbs.compare.flips import write_flips
    from socialcli.verbs.compare.summary import comparison_lines, comparison_record
    from socialcli.verbs.compare.work import compare

    check_new_table("--flips", flips, overwrite)
    sides = _sides(a, b, condition_a, condition_b)
    check_apart("--flips", flips, (side.source for pair in sides for side in pair))
    labels = read_labels(answers)
    comparisons = [compare(one, other, labels) for one, other in sides]
    for warning in dict.fromkeys(text for one in comparisons for text in one.warnings):
        _log.warning("%s", warning)
    if flips is not None:
        write_flips(flips, comparisons)
    if as_json:
        records = [comparison_record(one) for one in comparisons]
        click.echo(json.dumps({"comparisons": records}, ensure_ascii=False))
    else:
        click.echo("\n\n".join(map(comparison_lines, comparisons)))


def _sides(a: Path, b: Path | None, condition_a: Sequence[str], condition_b: Sequence[str]) -> list[tuple[Side, Side]]:
    """What is compared with what. Raises what `Source.find`, `Wanted.parse` and `chosen_sides` raise."""
    from socialcli.stats.sources import Source
    from socialcli.verbs.compare.conditions import Wanted, chosen_sides

    wanted = Wanted.parse("--condition-a", condition_a), Wanted.parse("--condition-b", condition_b)
    return chosen_sides(Source.find(a), None if b is None else Source.find(b), *wanted)
