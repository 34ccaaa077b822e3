"""Click options made from what settings declare, and the settings of a run made from their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from socialcli.alignment.rules import current_name
from socialcli.options import completion
from socialcli.options.resolve import resolve_alignment, resolve_inputs
from socialcli.options.values import FiniteRange, RegisteredName
from socialcli.settings.fields import Setting
from socialcli.settings.run import RunSettings
from socialcli.settings.selection import ALL_TASKS

if TYPE_CHECKING:
    from socialcli.plugins.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])


class _RuleName(click.ParamType[str]):
    """The name of a bias rule; a former name becomes the present one, with a warning."""

    name = "rule"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The present name. Whether a plug-in provides the rule is checked later."""
        return current_name(value)


RULE_NAME = _RuleName()

_COMPLETIONS = {
    "models": completion.models,
    "tasks": completion.tasks,
    "rules": completion.rules,
    "head_selectors": completion.head_selectors,
    "steering_modes": completion.steering_modes,
    "answer_modes": completion.answer_modes,
}

_REGISTERED: Mapping[str, Callable[[Registry], Mapping[str, Any]]] = {
    "head_selectors": lambda registry: registry.head_selectors(),
    "steering_modes": lambda registry: registry.steering_modes(),
    "answer_modes": lambda registry: registry.answer_modes(),
}
"""Where names are looked up that a command refuses at once if no plug-in provides them."""


SELECTOR_NAME, MODE_NAME = (RegisteredName(_REGISTERED[kind]) for kind in ("head_selectors", "steering_modes"))


def setting_options(
    settings: Iterable[Setting], changed: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> Callable[[F], F]:
    """Give a command an option for each setting; its value arrives as the setting's `parameter`.

    `changed` holds arguments of `click.option`, by key, where a command's option differs from the declaration.
    """
    options = [option_of(one, **changed.get(one.key, {})) for one in settings]

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def option_of(setting: Setting, **changed: Any) -> Callable[[F], F]:
    """The option of a setting; `changed` are arguments of `click.option` that replace those made from it."""
    about = setting.about
    arguments: dict[str, Any] = {"metavar": about.metavar, "help": about.help}
    if setting.type is bool:
        arguments["is_flag"] = True
    elif setting.word is not None:
        arguments["callback"] = _number_or_word(setting)
    else:
        arguments["type"] = _click_type(setting)
    if setting.required:
        arguments["required"] = True
    if setting.repeats:
        arguments["multiple"] = True
    if about.names is not None:
        arguments["shell_complete"] = _COMPLETIONS[about.names]
    if about.otherwise is not None:
        arguments["help"] = f"{about.help}  [default: {about.otherwise}]"
    elif not setting.required and setting.default is not None and setting.type is not bool:
        default = setting.default if setting.word is None else str(setting.default)  # a number would fix the type
        arguments |= {"default": default, "show_default": True}
    return click.option(setting.option, *about.aliases, setting.parameter, **arguments | changed)


def settings_from(options: Mapping[str, Any], **others: Any) -> RunSettings:
    """The settings of a run with the values of options, by parameter; `others` are settings without an option.

    Raises UsageError for values that contradict each other.
    """
    values = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    values["inputs"], values["boxes_as"] = resolve_inputs(options["inputs"], options["boxes_as"])
    if "alignment" in options:
        values["alignment"] = resolve_alignment(options["alignment"], values["inputs"])
    if "tasks" in options:
        values["tasks"] = _named_tasks(options["tasks"])
    return RunSettings.of(**{**values, **others})


def _named_tasks(names: Sequence[str]) -> tuple[str, ...]:
    """The tasks that `--task` names, each once; ALL_TASKS if one of them is "all"."""
    return ALL_TASKS if set(ALL_TASKS) & set(names) else tuple(dict.fromkeys(names))


def _number_or_word(setting: Setting) -> Callable[[click.Context, click.Parameter, str], int | str]:
    """A callback that takes the setting's word or a whole number in its range. Raises BadParameter for others."""

    def convert(context: click.Context, parameter: click.Parameter, value: str) -> int | str:
        if value == setting.word:
            return value
        number: int = _click_type(setting)(value, parameter, context)
        return number

    return convert


def _click_type(setting: Setting) -> click.ParamType[Any]:
    about = setting.about
    if setting.choices is not None:
        return click.Choice(setting.choices)
    if about.is_path:
        return click.Path(path_type=Path)
    if about.names == "rules":
        return RULE_NAME
    if about.names is not None and about.names in _REGISTERED:
        return RegisteredName(_REGISTERED[about.names])
    if setting.number is int:
        return click.IntRange(min=None if about.least is None else int(about.least))
    if setting.number is float:
        least = about.least if about.above is None else about.above
        return FiniteRange(min=least, max=about.most, min_open=about.above is not None)
    return click.STRING
