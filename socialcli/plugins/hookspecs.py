"""The hooks a plug-in may implement: models, tasks, bias rules, converters and commands.

A plug-in is a module named by an entry point of the group "socialcli":

    [project.entry-points.socialcli]
    my-model = "my_package"

It implements any of the hooks below, marked with `hookimpl`:

    from socialcli.models.contract import ModelSpec
    from socialcli.plugins.hookspecs import hookimpl

    @hookimpl
    def socialcli_models():
        return [ModelSpec(name="my-model", ...)]

A hook is called once per process, when something of its kind is first asked for, `socialcli --help` included.
It must be quick, and must not import torch or transformers: what is heavy belongs into the functions that the
returned items hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click
import pluggy

from socialcli.alignment.rules import BiasRule
from socialcli.models.contract import ModelSpec
from socialcli.tasks.base import Task

PROJECT = "socialcli"  # pluggy's project name, and the group of the entry points

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class Converter:
    """Turns a public dataset, or the files of a tracker, into an episodes file."""

    name: str  # what follows `socialcli convert`
    summary: str  # one line for the list
    command: click.Command  # what `socialcli convert NAME` runs; it takes its own arguments and options


@hookspec
def socialcli_models() -> Sequence[ModelSpec]:
    """Provide models for `--model` and `socialcli models`.

    Returns:
        One spec for each model family. Its `name` must be unique among all installed plug-ins, and its `load`
        is what imports torch and the adapter.
    """
    raise NotImplementedError


@hookspec
def socialcli_tasks() -> Sequence[Task]:
    """Provide tasks for `--task` and `socialcli tasks`.

    Returns:
        One object for each task; see `socialcli.tasks.base.Task` for its methods. Its `name` must be unique,
        and is what `questions[].task` of an episode says.
    """
    raise NotImplementedError


@hookspec
def socialcli_bias_rules() -> Sequence[BiasRule]:
    """Provide bias rules for `--bias`.

    Returns:
        One rule for each way of raising the attention of an aligned pair; its `name` must be unique.
    """
    raise NotImplementedError


@hookspec
def socialcli_converters() -> Sequence[Converter]:
    """Provide converters for `socialcli convert`.

    Returns:
        One converter for each kind of source; its `name` must be unique among the converters.
    """
    raise NotImplementedError


@hookspec
def socialcli_commands() -> Sequence[click.Command]:
    """Provide further commands of `socialcli`.

    Returns:
        click commands or groups, each with a name of its own. A command of socialcli itself cannot be
        replaced: it hides a plug-in's command of the same name. Errors of the tree in `socialcli.errors`
        become a message and an exit code; `socialcli.options.config` and `socialcli.options.verbosity` have the
        decorators for `--config` and for logging.
    """
    raise NotImplementedError
