"""The hooks a plug-in may implement: models, tasks, parts of the alignment and of perception, answer modes,
converters and commands.

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
It must be quick, and must not import torch or transformers: anything heavy belongs in the functions of the
returned items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import click
import pluggy

from socialcli.alignment.heads.selectors import HeadSelector
from socialcli.alignment.rules import BiasRule
from socialcli.alignment.steering.modes import SteeringMode
from socialcli.inference.answer_modes import AnswerMode
from socialcli.models.contract import ModelSpec
from socialcli.perception.contract import ActiveSpeakerSpec, DetectorSpec, TrackerSpec, VoicesSpec
from socialcli.tasks.base import Task

PROJECT = "socialcli"  # pluggy's project name, and the group of the entry points

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts a public dataset, or a tracker's output, to an episodes file."""

    name: str  # what follows `socialcli convert`
    summary: str  # one line for the list
    command: click.Command  # runs as `socialcli convert NAME`, with its own arguments and options


@hookspec
def socialcli_models() -> Sequence[ModelSpec]:
    """Provide models for `--model` and `socialcli models`.

    Returns:
        One spec per model family. Its `name` must be unique among all installed plug-ins, and only its `load` may
        import torch and the adapter.
    """
    raise NotImplementedError


@hookspec
def socialcli_tasks() -> Sequence[Task]:
    """Provide tasks for `--task` and `socialcli tasks`.

    Returns:
        One object per task; see `socialcli.tasks.base.Task` for its methods. Its `name` must be unique; episodes refer
        to it in `questions[].task`.
    """
    raise NotImplementedError


@hookspec
def socialcli_bias_rules() -> Sequence[BiasRule]:
    """Provide bias rules for `--bias`.

    Returns:
        One rule per way of raising the attention of an aligned pair; its `name` must be unique.
    """
    raise NotImplementedError


@hookspec
def socialcli_head_selectors() -> Sequence[HeadSelector]:
    """Provide head selectors for `--heads-by`.

    Returns:
        One selector per way of selecting the active heads; its `name` must be unique. Its functions get tensors; import
        torch inside them.
    """
    raise NotImplementedError


@hookspec
def socialcli_steering_modes() -> Sequence[SteeringMode]:
    """Provide steering modes for `--steer`.

    Returns:
        One mode per way of deciding which tokens are biased towards which visual tokens; its `name` must be unique.
    """
    raise NotImplementedError


@hookspec
def socialcli_answer_modes() -> Sequence[AnswerMode]:
    """Provide answer modes for `--answer`.

    Returns:
        One object for each mode; see `socialcli.inference.answer_modes.AnswerMode` for its members. Its `name` must be
        unique, and is what the column `answer_mode` says. Import torch only in `answers`.
    """
    raise NotImplementedError


@hookspec
def socialcli_detectors() -> Sequence[DetectorSpec]:
    """Provide detectors of faces or people.

    Returns:
        One spec per detector; its `name` must be unique. Only its `load` imports what it needs.
    """
    raise NotImplementedError


@hookspec
def socialcli_trackers() -> Sequence[TrackerSpec]:
    """Provide trackers of faces and people.

    Returns:
        One spec per way of joining the detections of a shot; its `name` must be unique.
    """
    raise NotImplementedError


@hookspec
def socialcli_voices() -> Sequence[VoicesSpec]:
    """Provide voice analysers.

    Returns:
        One spec per way of finding speech and comparing voices; its `name` must be unique.
    """
    raise NotImplementedError


@hookspec
def socialcli_active_speakers() -> Sequence[ActiveSpeakerSpec]:
    """Provide active speaker detectors.

    Returns:
        One spec per way of seeing and hearing that a face speaks; its `name` must be unique.
    """
    raise NotImplementedError


@hookspec
def socialcli_converters() -> Sequence[Converter]:
    """Provide converters for `socialcli convert`.

    Returns:
        One converter per kind of source; its `name` must be unique among the converters.
    """
    raise NotImplementedError


@hookspec
def socialcli_commands() -> Sequence[click.Command]:
    """Provide more commands for `socialcli`.

    Returns:
        click commands or groups, each with its own name. A built-in command cannot be replaced: it hides a plug-in's
        command of the same name. Errors from `socialcli.errors` become a message and an exit code;
        `socialcli.options.config` and `socialcli.options.verbosity` have the decorators for `--config` and logging.
    """
    raise NotImplementedError
