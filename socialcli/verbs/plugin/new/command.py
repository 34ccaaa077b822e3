"""`socialcli plugin new`: a plug-in for a model family, with what its checkpoint says filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from socialcli.options.from_settings import setting_options
from socialcli.options.listing import print_table
from socialcli.options.results import overwrite_option
from socialcli.options.verbosity import logging_options
from socialcli.plugins.registry import registry
from socialcli.settings.run import run_settings
from socialcli.verbs.plugin.new.names import Names, names_of
from socialcli.verbs.plugin.new.work import NewPlugin, Written, create


@click.command(name="new", short_help="Write a plug-in for a model family.")
@click.argument("name")
@click.option(
    "--from-model",
    "checkpoint",
    required=True,
    metavar="DIR|ID",
    help="A checkpoint of the family: a folder, or an id on the Hugging Face hub. Its weights are not read.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for the plug-in's project; created if missing.",
)
@overwrite_option("the plug-in's files in a folder that is not empty; other files stay")
@setting_options(one for one in run_settings() if one.key in ("revision", "allow_links"))
@logging_options
def new(name: str, **options: Any) -> None:
    """Write a plug-in that adds the model NAME: project file, hook, adapter, test and page.

    The adapter has what can be read off the checkpoint's small files and off its processor, which is run on noise:
    classes, visual tokens, the grid, positions, the decoder's layers. Every member that is left to write raises
    NotImplementedError; they are listed at the end, with the next command. None of the checkpoint's own code is run.
    """
    names = names_of(name, registry().models())
    request = NewPlugin(names, **options)
    _report(names, request, create(request))


def _report(names: Names, request: NewPlugin, written: Written) -> None:
    print_table(("FILE", "LINES"), [(str(path), str(lines)) for path, lines in written.files.items()])
    if written.facts.todos:
        click.echo(f"\nLeft to write in {request.output / names.package / 'adapter.py'}:")
        for todo in written.facts.todos:
            click.echo(f"  {todo.member}: {todo.what}")
    else:
        click.echo("\nEverything was read off the checkpoint; nothing is left to write.")
    click.echo(
        f"\nNext: pip install -e {request.output} && "
        f"socialcli plugin check {names.model} --checkpoint {request.checkpoint}"
    )
