"""`--config`: options from a TOML file.

What decides a value, the strongest first: the command line (also when it repeats a default), the environment
variable `SOCIALCLI_<COMMAND>_<OPTION>`, the settings file, the default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from socialcli.errors import InvalidInputError, NotFoundError, UnknownNameError, UsageError
from socialcli.options.names import long_name

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """Give a command `--config FILE.toml`, which sets its other options from the table named after the command.

    A key is an option's long name without the leading dashes. Put this above the other decorators of the command,
    `logging_options` included, so that their values can come from the file too. Using the option raises NotFoundError
    or InvalidInputError for the file, UsageError for a key or a value in it.
    """
    return config_option_of()(function)


def config_option_of(*others: str) -> Callable[[F], F]:
    """The same for a command that also reads the tables of `others`; a key of its own table takes precedence."""
    own = f", or else from [{', '.join(others)}]" if others else ""
    return click.option(
        "--config",
        metavar="FILE.toml",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=partial(_use_config, others),
        help=f"Read options from this TOML file's [COMMAND] table{own}; the command line takes precedence.",
    )


def _use_config(others: Sequence[str], context: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    if path is None or context.resilient_parsing:
        return
    document = _checked_document(context, path, _read(path))
    settings: dict[str, Any] = {}
    for name in (*others, str(context.command.name)):  # the last takes precedence
        settings |= _settings_of(context, document.get(name, {}), f"{path}: [{name}]")
    context.default_map = settings


def _settings_of(context: click.Context, table: Mapping[str, Any], where: str) -> dict[str, Any]:
    options = _settable(context.command)
    settings: dict[str, Any] = {}
    for key, value in table.items():
        option = options.get(key.replace("_", "-"))
        if option is None:
            raise UsageError(f"{where}: {UnknownNameError('key', key, options)}")
        if str(option.name) in settings:
            raise UsageError(f"{where}: {key!r} occurs twice, with - and with _")
        settings[str(option.name)] = _checked(context, option, value, f"{where} {key}")
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: no such settings file") from error
    except OSError as error:
        raise InvalidInputError(f"{path}: cannot read the settings file: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path}: the settings file is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"{path}: the settings file is not TOML: {error}") from error


def _checked_document(context: click.Context, path: Path, document: dict[str, Any]) -> dict[str, Any]:
    """The tables of the file: the command's, if present, and those of other commands. Raises UsageError."""
    name = str(context.command.name)
    for key, value in document.items():
        if not isinstance(value, dict):
            raise UsageError(f"{path}: key {key!r} is outside any table; move it under [{name}]")
    if set(document) - {name}:
        root = context.find_root()
        known = {name, *_commands(root), *_commands(context.parent or root)}
        for key in document:
            if key not in known:
                raise UsageError(f"{path}: {UnknownNameError('command for the table', key, known)}")
    return document


def _commands(context: click.Context) -> list[str]:
    return context.command.list_commands(context) if isinstance(context.command, click.Group) else []


def _settable(command: click.Command) -> dict[str, click.Option]:
    """The options that a file may set, by long name without dashes."""
    options = [one for one in command.params if isinstance(one, click.Option) and one.name != "config"]
    return {long_name(option): option for option in options}


def _checked(context: click.Context, option: click.Option, value: Any, where: str) -> Any:
    """The value for click. Raises UsageError for a wrong type or a value that the option refuses."""
    expected, accepted = _toml_types(option)
    several = option.multiple or option.nargs != 1
    values = value if several and isinstance(value, list) else [value]
    for one in values:
        if type(one) not in accepted:
            raise UsageError(f"{where}: expected {expected}, not {one!r}")
    if accepted == _WRITTEN:
        values = [str(one) for one in values]  # as on the command line
    result = values if several else values[0]
    try:
        option.type_cast_value(context, result)
    except click.BadParameter as error:
        raise UsageError(f"{where}: {error.message}") from error
    return result


_WRITTEN = (str, int, float)


def _toml_types(option: click.Option) -> tuple[str, tuple[type, ...]]:
    """The TOML values that an option takes, in words and as exact types: in Python a bool is an int too."""
    if option.is_flag:
        return "true or false", (bool,)
    if option.count or isinstance(option.type, type(click.INT)):
        return "a whole number", (int,)
    if isinstance(option.type, type(click.FLOAT)):
        return "a number", (int, float)
    if isinstance(option.type, click.Choice | click.Path):
        return "a text in quotes", (str,)
    return "a text in quotes or a number", _WRITTEN
