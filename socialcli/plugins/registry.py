"""Everything the installed plug-ins provide, by name, with its origin.

A plug-in that cannot be loaded, or whose hook fails, causes a warning; everything else works. Two plug-ins that claim
the same name cause an error when things of that kind are requested: nobody should get an answer from a different model
than the one they meant.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeGuard, TypeVar

import click
import pluggy

from socialcli.alignment.heads.selectors import HeadSelector
from socialcli.alignment.rules import BiasRule, current_name
from socialcli.alignment.steering.modes import SteeringMode
from socialcli.errors import PluginError, UnknownNameError
from socialcli.inference.answer_modes import AnswerMode
from socialcli.models.contract import ModelSpec
from socialcli.perception.contract import ActiveSpeakerSpec, DetectorSpec, Source, TrackerSpec, VoicesSpec
from socialcli.plugins.discovery import LOAD_PLUGINS, Origin, Plugin, Problem, broken, describe, discover
from socialcli.plugins.hookspecs import Converter
from socialcli.tasks.base import Task
from socialcli.tasks.names import ALL_TASKS


class _Named(Protocol):
    @property
    def name(self) -> str | None: ...


T = TypeVar("T", bound=_Named)


@dataclass(frozen=True, slots=True)
class Provided(Generic[T]):
    """An item that a plug-in provides, with its origin."""

    item: T
    origin: Origin

    @property
    def distribution(self) -> str:
        """The name of the distribution, as pip shows it."""
        return self.origin.distribution

    @property
    def version(self) -> str:
        """The version of the distribution."""
        return self.origin.version

    @property
    def plugin(self) -> str:
        """The entry point; "builtin" for socialcli's built-in items."""
        return self.origin.entry_point


@dataclass(frozen=True, slots=True)
class PluginReport:
    """A plug-in as `socialcli plugins` lists it."""

    origin: Origin
    provides: Mapping[str, tuple[str, ...]]  # names by kind: "model", "bias rule", "answer mode" ...
    problems: tuple[str, ...]  # empty: everything about it works
    sources: Mapping[str, Source]  # by kind and name ("detector faces"), of the items that state one


@dataclass(frozen=True, slots=True)
class _Kind(Generic[T]):
    label: str
    hook: str
    expected: str  # what the hook must return a list of, for messages
    accepts: Callable[[object], TypeGuard[T]]
    reserved: frozenset[str] = frozenset()  # names that no item of the kind may have


@dataclass(frozen=True, slots=True)
class _Offers(Generic[T]):
    by_name: Mapping[str, Sequence[Provided[T]]]
    problems: Sequence[Problem]

    def conflicts(self, label: str) -> dict[str, str]:
        """Return a message for each name that more than one plug-in claims."""
        return {name: _conflict(label, name, claims) for name, claims in self.by_name.items() if len(claims) > 1}


def _is_model(item: object) -> TypeGuard[ModelSpec]:
    return isinstance(item, ModelSpec)


def _is_task(item: object) -> TypeGuard[Task]:
    texts = (getattr(item, "name", None), getattr(item, "summary", None))
    methods = (getattr(item, "candidates", None), getattr(item, "sentence", None))
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(getattr(item, "masks_span", None), bool)
        and all(callable(method) for method in methods)
    )


def _is_bias_rule(item: object) -> TypeGuard[BiasRule]:
    return isinstance(item, BiasRule)


def _is_head_selector(item: object) -> TypeGuard[HeadSelector]:
    return isinstance(item, HeadSelector)


def _is_steering_mode(item: object) -> TypeGuard[SteeringMode]:
    return isinstance(item, SteeringMode)


def _is_answer_mode(item: object) -> TypeGuard[AnswerMode]:
    texts = (getattr(item, "name", None), getattr(item, "summary", None))
    return (
        all(isinstance(text, str) for text in texts)
        and isinstance(getattr(item, "decodes", None), bool)
        and callable(getattr(item, "answers", None))
    )


def _is_detector(item: object) -> TypeGuard[DetectorSpec]:
    return isinstance(item, DetectorSpec)


def _is_tracker(item: object) -> TypeGuard[TrackerSpec]:
    return isinstance(item, TrackerSpec)


def _is_voices(item: object) -> TypeGuard[VoicesSpec]:
    return isinstance(item, VoicesSpec)


def _is_active_speaker(item: object) -> TypeGuard[ActiveSpeakerSpec]:
    return isinstance(item, ActiveSpeakerSpec)


def _is_converter(item: object) -> TypeGuard[Converter]:
    return isinstance(item, Converter)


def _is_command(item: object) -> TypeGuard[click.Command]:
    return isinstance(item, click.Command) and bool(item.name)


_MODELS = _Kind("model", "socialcli_models", "ModelSpec", _is_model)
_TASKS = _Kind("task", "socialcli_tasks", "Task", _is_task, frozenset({ALL_TASKS}))
_BIAS_RULES = _Kind("bias rule", "socialcli_bias_rules", "BiasRule", _is_bias_rule)
_SELECTORS = _Kind("head selector", "socialcli_head_selectors", "HeadSelector", _is_head_selector)
_STEERING = _Kind("steering mode", "socialcli_steering_modes", "SteeringMode", _is_steering_mode)
_ANSWER_MODES = _Kind("answer mode", "socialcli_answer_modes", "AnswerMode", _is_answer_mode)
_DETECTORS = _Kind("detector", "socialcli_detectors", "DetectorSpec", _is_detector)
_TRACKERS = _Kind("tracker", "socialcli_trackers", "TrackerSpec", _is_tracker)
_VOICES = _Kind("voice analyser", "socialcli_voices", "VoicesSpec", _is_voices)
_ACTIVE_SPEAKERS = _Kind(
    "active speaker detector", "socialcli_active_speakers", "ActiveSpeakerSpec", _is_active_speaker
)
_CONVERTERS = _Kind("converter", "socialcli_converters", "Converter", _is_converter)
_COMMANDS = _Kind("command", "socialcli_commands", "named click commands", _is_command)
_KINDS: tuple[_Kind[Any], ...] = (
    *(_MODELS, _TASKS, _BIAS_RULES, _SELECTORS, _STEERING, _ANSWER_MODES),
    *(_DETECTORS, _TRACKERS, _VOICES, _ACTIVE_SPEAKERS),
    *(_CONVERTERS, _COMMANDS),
)


class Registry:
    """Everything the installed plug-ins provide.

    Creating a registry loads the plug-ins; a hook is called when its kind is first requested.

    The plural methods map names to items in the order of the plug-ins, socialcli's own first; they raise PluginError
    if two plug-ins claim the same name. The singular methods look up one name and may also raise UnknownNameError,
    which suggests the closest name.
    """

    def __init__(self) -> None:
        """Load the installed plug-ins. Broken ones are logged as warnings."""
        self._plugins, self._problems = discover()
        self._offers: dict[str, _Offers[Any]] = {}

    def models(self) -> Mapping[str, Provided[ModelSpec]]:
        """Return the models."""
        return self._unique(_MODELS)

    def tasks(self) -> Mapping[str, Provided[Task]]:
        """Return the tasks."""
        return self._unique(_TASKS)

    def bias_rules(self) -> Mapping[str, Provided[BiasRule]]:
        """Return the bias rules."""
        return self._unique(_BIAS_RULES)

    def head_selectors(self) -> Mapping[str, Provided[HeadSelector]]:
        """Return the head selectors."""
        return self._unique(_SELECTORS)

    def steering_modes(self) -> Mapping[str, Provided[SteeringMode]]:
        """Return the steering modes."""
        return self._unique(_STEERING)

    def answer_modes(self) -> Mapping[str, Provided[AnswerMode]]:
        """Return the answer modes."""
        return self._unique(_ANSWER_MODES)

    def detectors(self) -> Mapping[str, Provided[DetectorSpec]]:
        """Return the detectors of faces and people."""
        return self._unique(_DETECTORS)

    def trackers(self) -> Mapping[str, Provided[TrackerSpec]]:
        """Return the trackers."""
        return self._unique(_TRACKERS)

    def voices(self) -> Mapping[str, Provided[VoicesSpec]]:
        """Return the voice analysers."""
        return self._unique(_VOICES)

    def active_speakers(self) -> Mapping[str, Provided[ActiveSpeakerSpec]]:
        """Return the active speaker detectors."""
        return self._unique(_ACTIVE_SPEAKERS)

    def converters(self) -> Mapping[str, Provided[Converter]]:
        """Return the converters."""
        return self._unique(_CONVERTERS)

    def commands(self) -> Mapping[str, Provided[click.Command]]:
        """Return the commands that plug-ins add, without socialcli's own."""
        return self._unique(_COMMANDS)

    def model(self, name: str) -> Provided[ModelSpec]:
        """Return the model of that name."""
        return _named(_MODELS, self.models(), name)

    def other_models(self, name: str) -> dict[str, str]:
        """Return advice for each `model_type` (of config.json) that belongs to another model."""
        advice: dict[str, str] = {}
        for other, provided in self.models().items():
            if other == name:
                continue
            advice |= dict.fromkeys(provided.item.model_types, f"load it with --model {other}")
            advice |= {
                kind: f"it is in its authors' own layout: load {converted} with --model {other}"
                for kind, converted in provided.item.originals.items()
            }
        own = self.model(name).item.model_types
        return {kind: text for kind, text in advice.items() if kind not in own}

    def task(self, name: str) -> Provided[Task]:
        """Return the task of that name."""
        return _named(_TASKS, self.tasks(), name)

    def bias_rule(self, name: str) -> Provided[BiasRule]:
        """Return the bias rule of that name; a former name works with a warning."""
        return _named(_BIAS_RULES, self.bias_rules(), current_name(name))

    def head_selector(self, name: str) -> Provided[HeadSelector]:
        """Return the head selector of that name."""
        return _named(_SELECTORS, self.head_selectors(), name)

    def steering_mode(self, name: str) -> Provided[SteeringMode]:
        """Return the steering mode of that name."""
        return _named(_STEERING, self.steering_modes(), name)

    def answer_mode(self, name: str) -> Provided[AnswerMode]:
        """Return the answer mode of that name."""
        return _named(_ANSWER_MODES, self.answer_modes(), name)

    def detector(self, name: str) -> Provided[DetectorSpec]:
        """Return the detector of that name."""
        return _named(_DETECTORS, self.detectors(), name)

    def tracker(self, name: str) -> Provided[TrackerSpec]:
        """Return the tracker of that name."""
        return _named(_TRACKERS, self.trackers(), name)

    def voice_analyser(self, name: str) -> Provided[VoicesSpec]:
        """Return the voice analyser of that name."""
        return _named(_VOICES, self.voices(), name)

    def active_speaker(self, name: str) -> Provided[ActiveSpeakerSpec]:
        """Return the active speaker detector of that name."""
        return _named(_ACTIVE_SPEAKERS, self.active_speakers(), name)

    def converter(self, name: str) -> Provided[Converter]:
        """Return the converter of that name."""
        return _named(_CONVERTERS, self.converters(), name)

    def command(self, name: str) -> Provided[click.Command]:
        """Return the plug-in's command of that name."""
        return _named(_COMMANDS, self.commands(), name)

    def reports(self) -> list[PluginReport]:
        """Return every plug-in with its items and its problems, name conflicts included."""
        offers = {kind.label: self._offered(kind) for kind in _KINDS}
        problems = [*self._problems, *(problem for offer in offers.values() for problem in offer.problems)]
        origins = dict.fromkeys([plugin.origin for plugin in self._plugins] + [problem.origin for problem in problems])
        return [_report(origin, offers, problems) for origin in origins]

    def _unique(self, kind: _Kind[T]) -> Mapping[str, Provided[T]]:
        offers = self._offered(kind)
        conflicts = offers.conflicts(kind.label)
        if conflicts:
            raise PluginError(" ".join(conflicts.values()))
        return {name: claims[0] for name, claims in offers.by_name.items()}

    def _offered(self, kind: _Kind[T]) -> _Offers[T]:
        if kind.hook not in self._offers:
            self._offers[kind.hook] = _collect(kind, self._plugins)
        return self._offers[kind.hook]


@functools.cache
def registry() -> Registry:
    """Return this process's registry, created by the first call."""
    return Registry()


def _collect(kind: _Kind[T], plugins: Iterable[Plugin]) -> _Offers[T]:
    by_name: dict[str, list[Provided[T]]] = {}
    problems: list[Problem] = []
    for plugin in plugins:
        origin = plugin.origin
        try:
            items = _call(kind, plugin)
        except (Exception, SystemExit) as error:  # nothing a plug-in raises may stop us
            problems.append(broken(origin, f"its hook {kind.hook} failed: {describe(error)}"))
            continue
        for name, item in items:
            by_name.setdefault(name, []).append(Provided(item, origin))
    return _Offers(by_name, problems)


def _call(kind: _Kind[T], plugin: Plugin) -> list[tuple[str, T]]:
    """Return the items of the plug-in's hook, by name. Raises TypeError, ValueError, or whatever the hook raises."""
    hook: pluggy.HookCaller = getattr(plugin.hooks, kind.hook)
    results = hook()
    if not results and hook.get_hookimpls():
        results = [None]  # pluggy drops the None of a hook that forgets to return
    named: list[tuple[str, T]] = []
    for result in results:
        if not isinstance(result, list | tuple):
            raise TypeError(f"it must return a list of {kind.expected}, not {type(result).__name__}")
        for item in result:
            if not kind.accepts(item):
                raise TypeError(f"it must return a list of {kind.expected}, and it holds {item!r}")
            if item.name in kind.reserved:
                raise ValueError(f"no {kind.label} can be named {item.name!r}, which means all of them")
            named.append((str(item.name), item))
    return named


def _named(kind: _Kind[T], known: Mapping[str, Provided[T]], name: str) -> Provided[T]:
    if name not in known:
        raise UnknownNameError(kind.label, name, known)
    return known[name]


def _conflict(label: str, name: str, claims: Sequence[Provided[Any]]) -> str:
    origins = " and by ".join(str(claim.origin) for claim in claims)
    return (
        f"the {label} {name!r} is provided by {origins}. "
        f"Uninstall all but one, or name the plug-ins to load in {LOAD_PLUGINS}."
    )


def _report(origin: Origin, offers: Mapping[str, _Offers[Any]], problems: Sequence[Problem]) -> PluginReport:
    provides: dict[str, tuple[str, ...]] = {}
    sources: dict[str, Source] = {}
    reasons = [problem.reason for problem in problems if problem.origin == origin]
    for label, offer in offers.items():
        own = [
            (name, claim.item) for name, claims in offer.by_name.items() for claim in claims if claim.origin == origin
        ]
        names = tuple(dict.fromkeys(name for name, _ in own))
        if names:
            provides[label] = names
        sources |= {f"{label} {name}": item.source for name, item in own if hasattr(item, "source")}
        conflicts = offer.conflicts(label)
        reasons += [conflicts[name] for name in names if name in conflicts]
    return PluginReport(origin, provides, tuple(reasons), sources)
