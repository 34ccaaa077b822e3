"""`socialcli inspect`: everything between annotation and attention, for each question."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.messages import coverage_line, coverage_warning
from socialcli.episodes.coverage.record import Coverage
from socialcli.errors import NotThereError, TooManyFailuresError, UsageError
from socialcli.options.common import config_option, logging_options
from socialcli.options.model import alignment_options, device_options, model_options, prompt_options
from socialcli.options.results import path_texts

if TYPE_CHECKING:
    from socialcli.episodes.reading import EpisodeRow
    from socialcli.inference.clip_view import AskOptions
    from socialcli.tasks.prompt import BoxesAs
    from socialcli.verbs.inspect.heads import HeadQuery
    from socialcli.verbs.inspect.selection import Selection
    from socialcli.verbs.inspect.work import Inspected, Inspector

_log = logging.getLogger(__name__)

_FOR_ATTENTION = frozenset(
    {"utterances", "attention_layers", "attention_heads", "alpha", "lambda_", "layers", "bias", "device", "dtype"}
    | {"adapter", "merge"}  # they change neither the prompt nor what a box covers
)


@click.command("inspect", short_help="Show what a model sees of EPISODES, and what each box covers.")
@click.argument("episodes", type=click.Path(path_type=Path))
@config_option
@model_options
@click.option("--question", "questions", multiple=True, metavar="ID", help="Only this question. May be repeated.")
@click.option("--episode", "clips", multiple=True, metavar="ID", help="Only this episode. May be repeated.")
@click.option("--limit", type=click.IntRange(min=0), help="Only the first so many of the questions.")
@prompt_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line; `socialcli schema inspection`.")
@click.option(
    "--png",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Draw each frame, and a sheet of them, into a folder a question under DIR.",
)
@click.option(
    "--attention",
    is_flag=True,
    help="Draw into the folder too where the words of each utterance look, without and with the alignment. "
    "Needs the weights; --adapter, --merge and the options from --utterance to --dtype are for it.",
)
@click.option("--utterance", "utterances", multiple=True, metavar="ID", help="Only of this utterance. May be repeated.")
@click.option(
    "--attention-layers",
    metavar="LAYERS",
    help="The layers to show: auto, all, or as in 10-19.  [default: those of --layers]",
)
@click.option(
    "--attention-heads",
    default="active",
    show_default=True,
    metavar="HEADS",
    help="The heads to show the mean of: those that are active, all, or as in 12:3,14:0, layer and head.",
)
@alignment_options
@device_options
@logging_options
def command(
    episodes: Path,
    model: str,
    checkpoint: str | None,
    as_json: bool,
    png: Path | None,
    **options: Any,
) -> None:
    """Show, for each question of EPISODES, everything between annotation and attention: the frames and what the
    model sees of them, the prompt, the tokens and frames of each utterance, the visual grid, and which tokens each
    speaker's box covers.

    The model's weights are not needed, but for --attention: its configuration and processor are enough. Exits with 3
    where a question could not be inspected.
    """
    from socialcli.verbs.inspect.selection import Selection

    selection = Selection(*(frozenset(options[name]) for name in ("questions", "clips", "utterances")))
    asking = _ask_options(episodes, options)
    if png is not None and not asking.with_video:
        raise UsageError("--png draws the frames, and --inputs L leaves them out; use --inputs VL")
    heads = _head_query(png, options)
    selection.check(episodes)
    inspector = _inspector(model, checkpoint, heads, asking, options)
    show = _printer(as_json) if png is None else _painter(png, as_json)
    tally = CoverageCounter()
    inspections = _inspections(inspector, episodes, selection, tally, options["box_gap"])
    found = _show_all(islice(inspections, options["limit"]), _counting(show, tally))
    _log_coverage(tally.total(options["box_gap"]))
    if not found and options["limit"] != 0:
        raise UsageError(f"{episodes}: there is no question to inspect; --question and --episode must both apply")


def _ask_options(episodes: Path, options: dict[str, Any]) -> AskOptions:
    from socialcli.inference.clip_view import AskOptions
    from socialcli.options.resolve import resolve_inputs

    inputs, boxes_as = resolve_inputs(options["inputs"], options["boxes_as"])
    root: Path | None = options["media_root"]
    if root is not None and not root.is_dir():
        raise NotThereError(f"--media-root {root}: there is no such folder")
    return AskOptions(
        media_root=root or episodes.parent,
        with_video=inputs != "L",
        boxes_as=cast("BoxesAs", boxes_as),
        context=options["context"],
        frames=options["frames"],
        box_gap=options["box_gap"],
    )


def _head_query(png: Path | None, options: dict[str, Any]) -> HeadQuery | None:
    """The heads that --attention shows, None without it. Raises UsageError for conflicting options."""
    from socialcli.alignment.layers import check_layers
    from socialcli.verbs.inspect.heads import HeadQuery

    if not options["attention"]:
        _refuse_idle_options(click.get_current_context())
        return None
    if png is None:
        raise UsageError("--attention draws pictures; name the folder for them with --png DIR")
    query = HeadQuery(options["attention_layers"], options["attention_heads"])
    query.check()
    check_layers(options["layers"])
    return query


def _refuse_idle_options(context: click.Context) -> None:
    """Raise UsageError if the command line sets an option that only --attention uses."""
    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        if given and option.name in _FOR_ATTENTION:
            raise UsageError(f"{option.opts[0]} changes nothing without --attention; add it, or omit the option")


def _inspector(
    model: str, checkpoint: str | None, heads: HeadQuery | None, asking: AskOptions, options: dict[str, Any]
) -> Inspector:
    from socialcli.models.contract import LoadOptions
    from socialcli.plugins.registry import registry

    spec = registry().model(model).item
    rule = registry().bias_rule(options["bias"]).item
    tasks = {name: provided.item for name, provided in registry().tasks().items()}
    source = LoadOptions(
        checkpoint or spec.default_checkpoint,
        options["device"],
        options["dtype"],
        options["frame_fit"],
        weights=heads is not None,
        adapter=path_texts(options, "adapter")["adapter"],
        merge=options["merge"],
        revision=options["revision"],
        allow_links=options["allow_links"],
        other_models=registry().other_models(model),
        positions=options["positions"],
        max_pixels=options["max_pixels"],
    )
    adapter = spec.load_checked(source)
    from socialcli.alignment.attention import Alignment  # this and the next two import torch
    from socialcli.verbs.inspect.attention import AttentionQuery
    from socialcli.verbs.inspect.work import Inspector

    attention = None
    if heads is not None:
        alignment = Alignment(options["alpha"], options["lambda_"], options["layers"], rule)
        attention = AttentionQuery(alignment, heads, frozenset(options["utterances"]))
    return Inspector(adapter, source, tasks, asking, attention)


def _inspections(
    inspector: Inspector, episodes: Path, selection: Selection, tally: CoverageCounter, box_gap: float
) -> Iterator[Inspected | None]:
    """The selected questions; adds the annotation of each of their episodes to `tally` once."""
    from socialcli.episodes.coverage.episode import annotated_coverage
    from socialcli.episodes.reading import read_episodes

    def selected() -> Iterator[EpisodeRow]:
        for row in filter(selection.matches, read_episodes(episodes)):
            if row.episode is not None:
                tally.add(annotated_coverage(row.episode, box_gap))
            yield row

    return inspector.inspect(selected(), selection)


def _printer(as_json: bool) -> Callable[[Inspected], None]:
    from socialcli.verbs.inspect.record import to_record
    from socialcli.verbs.inspect.text import render

    def show(inspected: Inspected) -> None:
        if as_json:
            click.echo(json.dumps(to_record(inspected.inspection), ensure_ascii=False))
        else:
            click.echo(f"{render(inspected.inspection)}\n")

    return show


def _painter(folder: Path, as_json: bool) -> Callable[[Inspected], None]:
    from socialcli.verbs.inspect.pictures.album import Album

    album = Album(folder)
    to_json = _printer(as_json=True)

    def show(inspected: Inspected) -> None:
        if inspected.frames is not None:
            paths = album.add(inspected.inspection, inspected.frames, inspected.attention)
            if not as_json:
                click.echo("\n".join(map(str, paths)))
        if as_json:
            to_json(inspected)

    return show


def _counting(show: Callable[[Inspected], None], tally: CoverageCounter) -> Callable[[Inspected], None]:
    """`show`, and count the coverage of each question's prompt."""

    def counted(inspected: Inspected) -> None:
        plan = inspected.inspection.plan
        if plan is not None:
            tally.add_prompt(inspected.inspection.episode.episode_id, plan.utterances, plan.covered)
        show(inspected)

    return counted


def _log_coverage(coverage: Coverage) -> None:
    """Log the coverage of several episodes; warn if clips were shown but nothing can be aligned to them."""
    if coverage.episodes > 1:
        _log.info("%s", coverage_line(coverage))
    warning = coverage_warning(coverage) if coverage.covered_utterances is not None else None
    if warning is not None:
        _log.warning("%s", warning)


def _show_all(inspections: Iterable[Inspected | None], show: Callable[[Inspected], None]) -> int:
    """Show all inspections and return their number. Raises TooManyFailuresError at the end if any question failed."""
    shown = failed = 0
    for inspected in inspections:
        if inspected is None:
            failed += 1
        else:
            show(inspected)
            shown += 1
    if failed:
        raise TooManyFailuresError(f"{failed} of {shown + failed} questions could not be inspected; the log says why")
    return shown
