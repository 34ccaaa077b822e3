"""Writes what follows from the code: docs/commands.md, the marked blocks of the other pages, and the JSON Schemas.

    python docs/generate.py

A block stands between the lines `<!-- generated: NAME -->` and `<!-- end: NAME -->`. tests/test_docs.py fails where a
file is not what this script would write.
"""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import click
from columns import column_rows, row_schema

from socialcli.agreement.measures import MEASURES
from socialcli.agreement.table import AgreementRow
from socialcli.cli import COMMANDS, main
from socialcli.episodes.reading import read_episodes
from socialcli.episodes.records import Episode
from socialcli.inference.clip_view import AskOptions, sample_clip
from socialcli.perturbation.kinds import KINDS
from socialcli.plugins.discovery import LOAD_PLUGINS
from socialcli.plugins.registry import registry
from socialcli.results.columns import columns_of
from socialcli.results.heads import HeadRow
from socialcli.results.predictions import Prediction
from socialcli.settings.fields import Setting
from socialcli.settings.run import run_settings
from socialcli.settings.schema import settings_schema
from socialcli.stats.accuracy import AccuracyRow
from socialcli.stats.paired import ComparedRow
from socialcli.tasks.names import BoxesAs
from socialcli.tasks.prompt import Scene, build_prompt
from socialcli.verbs.compare.flips import Flip
from socialcli.verbs.compare.summary import HEADINGS
from socialcli.verbs.measure.attention_table import AttentionRow
from socialcli.verbs.stress.table import StressRow
from socialcli.verbs.sweep.seeds.spread import SpreadRow
from socialcli.verbs.train.files import LogRow
from socialcli.verbs.train.settings import train_settings

DOCS = Path(__file__).parent
SAMPLE = DOCS.parent / "sample_data"
SCHEMAS = DOCS.parent / "schemas"
EXAMPLE = "kitchen-keys"  # the episode whose prompts docs/tasks.md shows
HELP_WIDTH = 100

SETTINGS = {one.option: one for one in run_settings()}

COMMANDS_HEAD = """# Commands

What `--help` says, for every command. This page is written by `docs/generate.py`.

Exit codes are in the [README](../README.md#exit-codes), settings files and environment variables in
[settings.md](settings.md).
"""


def pages() -> dict[Path, str]:
    """Every file that holds something generated, as it should read."""
    blocks = {name: write() for name, write in BLOCKS.items()}
    filled = {path: fill(path.read_text(encoding="utf-8"), blocks) for path in sorted(DOCS.rglob("*.md"))}
    return {**filled, DOCS / "commands.md": commands_page(), **row_schemas(), **manifest_schemas()}


def row_schemas() -> dict[Path, str]:
    """The JSON Schemas that are made from rows."""
    prediction = row_schema(
        Prediction,
        "prediction",
        title="A row of predictions.parquet",
        description="A question under one condition, and the model's answer to it. Every column is present; null means "
        "unknown or not applicable.",
    )
    agreement = row_schema(
        AgreementRow,
        "agreement",
        title="A row of the table of socialcli agreement",
        description="A measure of how well two annotations agree, in an episode or over all. Every column is present.",
    )
    named = {"prediction": prediction, "agreement": agreement}
    return {
        SCHEMAS / f"{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in named.items()
    }


def manifest_schemas() -> dict[Path, str]:
    """The JSON Schemas of the manifests that record settings, with what the settings declare."""
    found = {SCHEMAS / "run.schema.json": run_settings(), SCHEMAS / "train.schema.json": train_settings()}
    return {
        path: with_settings(path.read_text(encoding="utf-8"), settings_schema(settings))
        for path, settings in found.items()
    }


def with_settings(schema: str, settings: Mapping[str, Any]) -> str:
    """Put `settings` in place of the property of this name; the rest of the schema is written by hand."""
    entries = ",\n".join(f"        {json.dumps(key)}: {json.dumps(one)}" for key, one in settings["properties"].items())
    required = json.dumps(settings["required"])
    text = (
        f'"settings": {{\n      "type": "object",\n      "description": {json.dumps(settings["description"])},\n'
        f'      "additionalProperties": false,\n      "required": {required},\n'
        f'      "properties": {{\n{entries}\n      }}\n    }}'
    )
    pattern = re.compile(r'(?<=^    )"settings": \{\n.*?^    \}', re.DOTALL | re.MULTILINE)
    return pattern.sub(lambda _: text, schema, count=1)


def fill(page: str, blocks: Mapping[str, str]) -> str:
    """Put the blocks into a page. Raises KeyError for a block that nobody writes."""
    pattern = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)
    return pattern.sub(lambda match: f"{match[1]}{blocks[match[2]]}{match[3]}", page)


def commands_page() -> str:
    """The help of all commands."""
    sections = [f"\n## {path}\n\n```text\n{help_text}\n```\n" for path, help_text in help_texts()]
    return COMMANDS_HEAD + "".join(sections)


def help_texts() -> Iterator[tuple[str, str]]:
    """The words that call each command, and its help."""
    context = _context(main, "socialcli", None)
    yield "socialcli", main.get_help(context)
    for name in COMMANDS:
        command = main.get_command(context, name)
        if command is not None:
            yield from _help_of(command, name, context)


def models_table() -> str:
    """The models, as `socialcli models` lists them."""
    rows = [
        (
            f"`{name}`",
            f"`{model.item.default_checkpoint}`",
            ", ".join(model.item.frame_fits) or "as the processor does",
            ", ".join(model.item.position_rules) or "one rule",
            str(model.item.max_pixels or "none"),
        )
        for name, model in registry().models().items()
    ]
    choices = ("`--frame-fit`", "`--positions`", "`--max-pixels`")
    return _table(("`--model`", "default checkpoint", *choices), rows)


def settings_table() -> str:
    """The options of `socialcli run`, their environment variables, and their keys in a settings file."""
    context = _context(main, "socialcli", None)
    run = main.get_command(context, "run")
    options = [option for option in (run.params if run else ()) if isinstance(option, click.Option)]
    options = [option for option in options if not option.hidden]
    return _table(
        ("option", "environment", "key in `[run]`", "values", "default"), [_setting(option) for option in options]
    )


def tasks_table() -> str:
    """The tasks, as `socialcli tasks` lists them."""
    rows = [(f"`{name}`", task.item.summary) for name, task in registry().tasks().items()]
    return _table(("`--task`", "question"), rows)


def prompts() -> str:
    """The prompt of the example's first question of each task."""
    return "".join(f"### {task}\n\n{_fenced(_prompt(task))}\n" for task in registry().tasks())


def rooms_table() -> str:
    """The rooms of the package from the bottom up, the verbs last: what each is, and what it may import."""
    package = DOCS.parent / "socialcli"
    homes = sorted((*package.glob("*/__init__.py"), *package.glob("verbs/*/__init__.py")))
    texts = {home.parent.relative_to(package).as_posix(): _docstring(home) for home in homes}
    below = {room: _with_folders(package, room) for room in texts if room != "verbs"}
    order = sorted(_bottom_up(below), key=lambda room: room.startswith("verbs/"))
    rows = [(f"`{room}/`", _summary(texts[room]), ", ".join(below[room]) or "nothing") for room in order]
    return _table(("room", "what it is", "may import"), rows)


def shown_boxes(boxes_as: BoxesAs) -> str:
    """What a prompt says of the boxes in three frames."""
    options = AskOptions(media_root=SAMPLE, boxes_as=boxes_as, frames=3)
    scene, _ = sample_clip(_example(), options)
    lines = _prompt("videoqa", scene).splitlines()
    return _fenced("\n".join(lines[1 : lines.index("Transcript:")]))


def columns_table(row: type) -> str:
    """The columns of a table, made of such rows."""
    return _table(("column", "type", "meaning"), column_rows(row))


def compared_table() -> str:
    """The fields of a compared row, with their headings in the text table."""
    rows = [(HEADINGS.get(one.name), f"`{one.name}`", one.meaning) for one in columns_of(ComparedRow)]
    cells = [(f"`{heading}`" if heading else "", *others) for heading, *others in rows]
    return _table(("column", "`--json`", "meaning"), cells)


def measures_table() -> str:
    """The measures of `socialcli agreement`."""
    return _table(("measure", "of", "meaning"), [(f"`{one.name}`", one.unit, one.meaning) for one in MEASURES])


def annotation_errors() -> str:
    """The kinds of annotation errors of `socialcli stress`."""
    rows = [
        (f"`{kind.name}`", kind.summary, kind.unit, ", ".join(f"{level:g}" for level in (0, *kind.levels)))
        for kind in KINDS
    ]
    return _table(("`--kind`", "what is wrong", "level", "levels by default"), rows)


BLOCKS: Mapping[str, Callable[[], str]] = {
    "columns of predictions.parquet": partial(columns_table, Prediction),
    "columns of accuracy.parquet": partial(columns_table, AccuracyRow),
    "columns of attention.parquet": partial(columns_table, AttentionRow),
    "columns of heads.parquet": partial(columns_table, HeadRow),
    "columns of log.parquet": partial(columns_table, LogRow),
    "columns of the flips": partial(columns_table, Flip),
    "columns of stress.parquet": partial(columns_table, StressRow),
    "columns of seeds.parquet": partial(columns_table, SpreadRow),
    "columns of a comparison": compared_table,
    "columns of agreement.parquet": partial(columns_table, AgreementRow),
    "measures of agreement": measures_table,
    "annotation errors": annotation_errors,
    "models": models_table,
    "settings": settings_table,
    "tasks": tasks_table,
    "rooms": rooms_table,
    "prompts": prompts,
    "boxes as text": lambda: shown_boxes("text"),
    "boxes as overlay": lambda: shown_boxes("overlay"),
}


def _help_of(command: click.Command, name: str, parent: click.Context) -> Iterator[tuple[str, str]]:
    context = _context(command, name, parent)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _help_of(found, inner, context)


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    settings = {**command.context_settings, "terminal_width": HELP_WIDTH}
    return click.Context(command, info_name=name, parent=parent, **settings)


def _setting(option: click.Option) -> tuple[str, ...]:
    longest = max(option.opts, key=len)
    key = "" if option.name == "config" else f"`{longest.removeprefix('--')}`"
    setting = SETTINGS.get(longest)
    default = None if setting is None or setting.required else setting.default
    values = "" if setting is None else _values(setting)
    return f"`{longest}`", f"`{option.envvar}`", key, values, "" if default is None else f"`{default}`"


def _values(setting: Setting) -> str:
    """The choices or the range of a setting."""
    if setting.choices is not None:
        return ", ".join(f"`{one}`" for one in setting.choices)
    if setting.about.names == "answer_modes":
        return ", ".join(f"`{one}`" for one in registry().answer_modes())
    if setting.number is None:
        return ""
    word = f"; `{setting.word}`" if setting.word else ""
    return f"{setting.limits.removeprefix('of ')}{word}"


def _example() -> Episode:
    rows = read_episodes(SAMPLE / "episodes.jsonl")
    return next(row.episode for row in rows if row.episode is not None and row.episode.episode_id == EXAMPLE)


def _prompt(task: str, scene: Scene | None = None) -> str:
    episode = _example()
    question = next(question for question in episode.questions if question.task == task)
    return build_prompt(registry().task(task).item, episode, question, scene).text


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def _with_folders(package: Path, room: str) -> list[str]:
    """What a room and the folders in it may import of other rooms."""
    homes = (package / room).rglob("__init__.py")
    found = {name for home in homes for name in _may_import(_docstring(home))}
    return sorted(name for name in found if name.replace(".", "/") != room)


def _may_import(docstring: str) -> list[str]:
    found = re.search(r"May import: (.+?)\.$", docstring, re.DOTALL)
    return re.split(r",\s+", found[1]) if found and found[1] != "nothing" else []


def _bottom_up(below: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The rooms, each behind those that it imports; of a floor, in order of their names."""
    sorter = TopologicalSorter({room: {name.replace(".", "/") for name in names} for room, names in below.items()})
    sorter.prepare()
    while sorter.is_active():
        floor = sorter.get_ready()
        yield from sorted(set(floor) & set(below))
        sorter.done(*floor)


def _summary(docstring: str) -> str:
    """The first sentence, without the name of the command or the mark of torch in front."""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"\.(?:\s|$)", re.sub(r"^(`socialcli \w+`: |\(torch\) )", "", paragraph))[0]


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    os.environ[LOAD_PLUGINS] = ""  # the pages describe socialcli's own, whatever else is installed here
    for place, text in pages().items():
        place.write_text(text, encoding="utf-8")
