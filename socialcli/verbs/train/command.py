"""`socialcli train`: fine-tune a model on an episodes file, with the alignment applied."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from socialcli.errors import TooManyFailuresError
from socialcli.options.config import config_option
from socialcli.options.from_settings import setting_options, settings_from
from socialcli.options.results import figure_format_option, json_option, output_option, overwrite_option
from socialcli.options.verbosity import logging_options
from socialcli.settings.fields import settings_of
from socialcli.verbs.train.settings import TrainSettings, train_settings

if TYPE_CHECKING:
    from socialcli.plots.formats import FigureFormat

_CHANGED: Mapping[str, Mapping[str, Any]] = {  # of the options that the settings declare
    "lora_targets": {"multiple": False, "default": "all"},
}


@click.command("train", short_help="Fine-tune a model on the gold answers in EPISODES.")
@click.argument("episodes", type=click.Path(path_type=Path))
@config_option
@output_option("log.parquet")
@overwrite_option("another training in the folder")
@setting_options((one for one in train_settings() if one.key != "episodes"), _CHANGED)
@figure_format_option
@json_option
@logging_options
def command(output: Path, overwrite: bool, figure_format: FigureFormat, as_json: bool, **options: Any) -> None:
    """Fine-tune a model on the labelled questions of EPISODES, with the alignment applied.

    OUTPUT gets the LoRA layers (adapter/, for `run --adapter`) or with --full all weights (checkpoint/, for `run
    --checkpoint`), log.parquet, loss.png and train.json. The same command again resumes an interrupted training
    and gives the same weights; a finished one is left as it is.

    Exit codes: 0 done, 2 usage, 3 more questions lost than --max-failures or a loss that is not a number, 4 EPISODES
    unreadable, without gold answers, or with less coverage than --min-coverage, 130 interrupted, 143 terminated; the
    last two can be resumed.
    """
    from socialcli.plugins.registry import registry
    from socialcli.verbs.train.files import accuracy_lines
    from socialcli.verbs.train.progress import trained
    from socialcli.verbs.train.work import TrainRequest, train

    request = TrainRequest(_settings(options), output, overwrite, sys.argv, figure_format)
    result = train(request, registry(), show=trained)
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else accuracy_lines(result["accuracy"]))
    if result["exit_code"]:
        counts = result["counts"]
        raise TooManyFailuresError(
            f"{counts['lost']} of {counts['questions']} questions could not be used, and the file has "
            f"{counts['unreadable']} problems (see 'problems' of train.json), more than --max-failures "
            f"{options['max_failures']} allows; the weights are in {output}"
        )


def _settings(options: dict[str, Any]) -> TrainSettings:
    """The settings that the options give. Raises UsageError."""
    own = {one.parameter: options.pop(one.parameter) for one in settings_of(TrainSettings)}
    targets = () if own["lora_targets"] == "all" else tuple(name.strip() for name in own["lora_targets"].split(","))
    return TrainSettings(**{**own, "ask": settings_from(options), "lora_targets": targets})
