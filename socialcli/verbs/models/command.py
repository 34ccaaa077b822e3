"""`socialcli models`: the model families that --model accepts."""

from __future__ import annotations

import click

from socialcli.options.listing import json_option, print_json, print_table
from socialcli.plugins.registry import registry


@click.command(name="models")
@json_option
def command(json: bool) -> None:
    """List the models and where they come from.

    The default checkpoint is what `socialcli run` loads without --checkpoint: a folder or a hub id.
    """
    models = registry().models()
    if json:
        print_json(
            [
                {
                    "name": name,
                    "summary": model.item.summary,
                    "default_checkpoint": model.item.default_checkpoint,
                    "frame_fits": model.item.frame_fits,
                    "position_rules": model.item.position_rules,
                    "max_pixels": model.item.max_pixels,
                    "adapter_version": model.item.version,
                    "distribution": model.distribution,
                    "distribution_version": model.version,
                    "plugin": model.plugin,
                }
                for name, model in models.items()
            ]
        )
        return
    print_table(
        ("MODEL", "SUMMARY", "DEFAULT CHECKPOINT", "FROM"),
        [
            (name, model.item.summary, model.item.default_checkpoint, f"{model.distribution} {model.version}")
            for name, model in models.items()
        ],
    )
