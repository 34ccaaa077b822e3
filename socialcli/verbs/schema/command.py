"""`socialcli schema`: the JSON Schema of each file."""

from __future__ import annotations

import json

import click

from socialcli.schemas import SCHEMA_NAMES, load_schema


@click.command(name="schema")
@click.argument("name", type=click.Choice(SCHEMA_NAMES))
def command(name: str) -> None:
    """Print the JSON Schema of a file.

    An episode is a row of an episodes file, a prediction is a row of predictions.parquet, a run is a
    run.json, a train is a train.json, an inspection is a line of `socialcli inspect --json`, an agreement is a row of
    the table of `socialcli agreement`.
    """
    click.echo(json.dumps(load_schema(name), ensure_ascii=False, indent=2))
