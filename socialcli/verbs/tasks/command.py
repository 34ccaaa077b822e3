"""`socialcli tasks`: the tasks that --task accepts."""

from __future__ import annotations

import click

from socialcli.options.listing import json_option, print_json, print_table
from socialcli.plugins.registry import registry


@click.command(name="tasks")
@json_option
def command(json: bool) -> None:
    """List the tasks and where they come from."""
    tasks = registry().tasks()
    if json:
        print_json(
            [
                {
                    "name": name,
                    "summary": task.item.summary,
                    "distribution": task.distribution,
                    "distribution_version": task.version,
                    "plugin": task.plugin,
                }
                for name, task in tasks.items()
            ]
        )
        return
    print_table(
        ("TASK", "SUMMARY", "FROM"),
        [(name, task.item.summary, f"{task.distribution} {task.version}") for name, task in tasks.items()],
    )
