"""socialcli's own tasks, answer modes, and parts of alignment and perception, through the same hooks as a plug-in's."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.alignment.bias import RULES
from socialcli.alignment.heads.selectors import SELECTORS, HeadSelector
from socialcli.alignment.rules import BiasRule
from socialcli.alignment.steering.modes import MODES as STEERING_MODES
from socialcli.alignment.steering.modes import SteeringMode
from socialcli.inference.answer_modes import MODES, AnswerMode
from socialcli.perception.contract import ActiveSpeakerSpec, TrackerSpec, VoicesSpec
from socialcli.perception.hearing import ACTIVE_SPEAKERS, VOICES
from socialcli.perception.tracking import TRACKERS
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
def socialcli_head_selectors() -> Sequence[HeadSelector]:
    """Return the method's head selection, and the alternatives and controls to compare it with."""
    return SELECTORS


@hookimpl
def socialcli_steering_modes() -> Sequence[SteeringMode]:
    """Return the method's direction, from words to their speaker, and others."""
    return STEERING_MODES


@hookimpl
def socialcli_answer_modes() -> Sequence[AnswerMode]:
    """Return the two ways to answer: rank the candidates, or generate."""
    return MODES


@hookimpl
def socialcli_trackers() -> Sequence[TrackerSpec]:
    """Return the tracker that needs nothing but boxes."""
    return TRACKERS


@hookimpl
def socialcli_voices() -> Sequence[VoicesSpec]:
    """Return the voice analyser that needs no package."""
    return VOICES


@hookimpl
def socialcli_active_speakers() -> Sequence[ActiveSpeakerSpec]:
    """Return the active speaker detector that needs no weights."""
    return ACTIVE_SPEAKERS
