"""The tasks, bias rules and answer modes of socialcli itself, provided through the same hooks as any plug-in's."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.alignment.bias import RULES
from socialcli.alignment.rules import BiasRule
from socialcli.inference.answer_modes import MODES, AnswerMode
from socialcli.plugins.hookspecs import hookimpl
from socialcli.tasks.base import Task
from socialcli.tasks.coref import Coref
from socialcli.tasks.mentioned import Mentioned
from socialcli.tasks.target import Target
from socialcli.tasks.videoqa import VideoQA


@hookimpl
def socialcli_tasks() -> Sequence[Task]:
    """Return the four tasks of the method."""
    return [VideoQA(), Target(), Coref(), Mentioned()]


@hookimpl
def socialcli_bias_rules() -> Sequence[BiasRule]:
    """Return the published bias rule and the alternatives to compare it with."""
    return RULES


@hookimpl
def socialcli_answer_modes() -> Sequence[AnswerMode]:
    """Return the two ways to answer: rank the candidates, or generate."""
    return MODES
