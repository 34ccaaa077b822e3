"""Output of the list commands: an aligned table for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

json_option = click.option("--json", is_flag=True, help="Print JSON instead of a table.")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows below the header on standard output, in columns as wide as their widest cell."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_json(items: Sequence[Mapping[str, Any]]) -> None:
    """Print the items on standard output as one JSON array."""
    click.echo(json.dumps(list(items), ensure_ascii=False, indent=2))
