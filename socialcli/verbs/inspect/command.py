"""`socialcli inspect`: everything between annotation and attention, for each question."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from socialcli.episodes.coverage.counter import CoverageCounter
from socialcli.episodes.coverage.messages import coverage_line, coverage_warning
from socialcli.episodes.coverage.record import Coverage
from socialcli.errors import NotFoundError, TooManyFailuresError, UsageError
from socialcli.options.config import config_option
from socialcli.options.from_settings import setting_options, settings_from
from socialcli.options.verbosity import logging_options
from socialcli.settings.fields import settings_of
from socialcli.settings.model import ModelSettings
from socialcli.settings.prompt import PromptSettings
from socialcli.settings.run import RunSettings, run_settings

if TYPE_CHECKING:
    from socialcli.episodes.reading import EpisodeRow
    from socialcli.verbs.inspect.heads import HeadQuery
    from socialcli.verbs.inspect.selection import Selection
    from socialcli.verbs.inspect.work import Inspected, Inspector

_log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

_ALIGNMENT = frozenset({"alpha", "lambda", "layers", "bias"})  # keys of settings, as in the next three
_STEERING = frozenset({"steer", "balance", "regions", "region_share"})
_DEVICE = frozenset({"device", "dtype"})
_PROMPT = frozenset({one.key for one in settings_of(PromptSettings)} - {"answer"} | {"media_root"})
_FOR_REGIONS = frozenset(
    {"adapter", "merge"} | {one.parameter for one in run_settings() if one.key in {"lambda", "layers"} | _DEVICE}
)
"""Parameters that change neither the prompt nor what a box covers, but the regions of `--regions model`."""

_FOR_ATTENTION = _FOR_REGIONS | {"utterances", "attention_layers", "attention_heads", "alpha", "bias"}
"""Parameters that change neither the prompt nor what a box covers."""


def _options(keys: Collection[str]) -> Callable[[F], F]:
    return setting_options(one for one in run_settings() if one.key in keys)


@click.command("inspect", short_help="Show what a model sees of EPISODES, and what each box covers.")
@click.argument("episodes", type=click.Path(path_type=Path))
@config_option
@setting_options(settings_of(ModelSettings))
@click.option("--question", "questions", multiple=True, metavar="ID", help="Only this question. May be repeated.")
@click.option("--episode", "clips", multiple=True, metavar="ID", help="Only this episode. May be repeated.")
@click.option("--limit", type=click.IntRange(min=0), help="Stop after N questions.")
@_options(_PROMPT)
@_options(_STEERING)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object per line; see `socialcli schema inspection`.",
)
@click.option(
    "--png",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each frame and a contact sheet to one folder per question under DIR.",
)
@click.option(
    "--attention",
    is_flag=True,
    help="With --png: also draw what the words of each utterance attend to, without and with the alignment. Needs the "
    "weights, and uses --adapter, --merge and the options from --utterance to --dtype.",
)
@click.option(
    "--utterance",
    "utterances",
    multiple=True,
    metavar="ID",
    help="Only this utterance. May be repeated.",
)
@click.option(
    "--attention-layers",
    metavar="LAYERS",
    help="Layers to show: auto, all, a range such as 10-19, or a list such as 3,7.  [default: those of --layers]",
)
@click.option(
    "--attention-heads",
    default="active",
    show_default=True,
    metavar="HEADS",
    help="Heads to average: active, all, or a list such as 12:3,14:0 (layer:head).",
)
@_options(_ALIGNMENT)
@_options(_DEVICE)
@logging_options
def command(
    episodes: Path,
    questions: tuple[str, ...],
    clips: tuple[str, ...],
    utterances: tuple[str, ...],
    limit: int | None,
    as_json: bool,
    png: Path | None,
    attention: bool,
    attention_layers: str | None,
    attention_heads: str,
    **options: Any,
) -> None:
    """Show everything between annotation and attention for each question of EPISODES: the frames and what the model
    sees of them, the prompt, the tokens and frames of each utterance, the visual grid, which tokens each speaker's box
    covers, and which words --steer biases towards which of these. For an episode without questions, show the same with
    a prompt that ends before the question.

    The model's configuration and processor are enough; only --attention and --regions model need its weights. Exits
    with 3 if a question could not be inspected.
    """
    from socialcli.settings.selection import ALL_TASKS
    from socialcli.verbs.inspect.heads import HeadQuery
    from socialcli.verbs.inspect.selection import Selection

    selection = Selection(frozenset(questions), frozenset(clips), frozenset(utterances))
    settings = settings_from(options, episodes=str(episodes), tasks=ALL_TASKS)
    _check_media_root(settings.selection.media_root)
    if png is not None and settings.prompt.inputs == "L":
        raise UsageError("--png draws the frames, which --inputs L omits; use --inputs VL")
    heads = _head_query(png, HeadQuery(attention_layers, attention_heads)) if attention else None
    if heads is None:
        by_model = settings.alignment.regions == "model"
        _refuse_idle_options(click.get_current_context(), _FOR_ATTENTION - (_FOR_REGIONS if by_model else frozenset()))
    selection.check(episodes)
    inspector = _inspector(settings, heads, frozenset(utterances))
    show = _printer(as_json) if png is None else _painter(png, as_json)
    counter, gap = CoverageCounter(), settings.prompt.box_gap
    inspections = _inspections(inspector, episodes, selection, counter, gap)
    found = _show_all(islice(inspections, limit), _counting(show, counter))
    _log_coverage(counter.total(gap))
    if not found and limit != 0:
        raise UsageError(f"{episodes}: there is no question to inspect; --question and --episode must both apply")


def _check_media_root(root: str | None) -> None:
    if root is not None and not Path(root).is_dir():
        raise NotFoundError(f"--media-root {root}: there is no such folder")


def _head_query(png: Path | None, query: HeadQuery) -> HeadQuery:
    """Check the heads that --attention shows. Raises UsageError for conflicting options."""
    if png is None:
        raise UsageError("--attention draws pictures; name the folder for them with --png DIR")
    query.check()
    return query


def _refuse_idle_options(context: click.Context, idle: Collection[str]) -> None:
    """Raise UsageError if the command line sets an option that only --attention uses: the `idle` parameters."""
    for option in context.command.params:
        given = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        if given and option.name in idle:
            raise UsageError(f"{option.opts[0]} changes nothing without --attention; add it, or omit the option")


def _inspector(settings: RunSettings, heads: HeadQuery | None, utterances: frozenset[str]) -> Inspector:
    from socialcli.jobs.job import load_options
    from socialcli.plugins.registry import registry

    model = settings.model.name
    spec = registry().model(model).item
    rule = registry().bias_rule(settings.alignment.bias).item
    mode = registry().steering_mode(settings.alignment.steer).item
    tasks = {name: provided.item for name, provided in registry().tasks().items()}
    weights = heads is not None or settings.alignment.regions == "model"
    source = load_options(settings, spec, registry().other_models(model), weights=weights)
    adapter = spec.load_checked(source)
    from socialcli.jobs.conditions import alignment_of  # this and the next three import torch
    from socialcli.jobs.prepare import ask_options
    from socialcli.verbs.inspect.attention import AttentionQuery
    from socialcli.verbs.inspect.work import Inspector

    alignment = alignment_of(settings.alignment, rule, mode=mode)
    query = None if heads is None else AttentionQuery(alignment, heads, utterances)
    return Inspector(adapter, source, tasks, ask_options(settings), query, alignment.steering)


def _inspections(
    inspector: Inspector, episodes: Path, selection: Selection, counter: CoverageCounter, box_gap: float
) -> Iterator[Inspected | None]:
    """The selected questions; adds the annotation of each of their episodes to `counter` once."""
    from socialcli.episodes.coverage.episode import annotated_coverage
    from socialcli.episodes.reading import read_episodes

    def selected() -> Iterator[EpisodeRow]:
        for row in filter(selection.matches, read_episodes(episodes)):
            if row.episode is not None:
                counter.add(annotated_coverage(row.episode, box_gap))
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


def _counting(show: Callable[[Inspected], None], counter: CoverageCounter) -> Callable[[Inspected], None]:
    """`show`, and count the coverage of each question's prompt."""

    def counted(inspected: Inspected) -> None:
        plan = inspected.inspection.plan
        if plan is not None:
            counter.add_prompt(inspected.inspection.episode.episode_id, plan.utterances, plan.covered)
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
