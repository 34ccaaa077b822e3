"""The environment variables `SOCIALCLI_...`: which ones there are, and which set nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

import click

from socialcli.options.names import long_name

PREFIX = "SOCIALCLI"


def name_variables(command: click.Command, prefix: str) -> None:
    """Let each option of the command be set by the environment variable of its long name: PREFIX_LONG_NAME.

    click itself names the variable after the function's parameter, which need not be called like the option.
    """
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar is None:
            option.envvar = f"{prefix}_{long_name(option)}".replace("-", "_").upper()


def unknown_variables(group: click.Group, context: click.Context, environment: Iterable[str]) -> Iterator[str]:
    """A message, with the nearest name, for each variable of the environment that begins like ours and sets nothing.

    A command is looked into only where a variable begins with its name, since most environments have none.
    """
    ours = sorted(variable for variable in environment if variable.startswith(f"{PREFIX}_"))
    if not ours:
        return
    from socialcli.plugins.discovery import LOAD_PLUGINS  # looks for distributions, which few commands need

    for variable in ours:
        if variable != LOAD_PLUGINS:
            named, accepted = _variables(group, context, variable, PREFIX)
            if variable not in named | accepted:
                yield _message(variable, named | {LOAD_PLUGINS})


def _message(variable: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(variable, sorted(known), n=1, cutoff=0.75)
    hint = f"did you mean {near[0]}?" if near else "name it SOCIALCLI_<COMMAND>_<OPTION>, or unset it"
    return f"the environment variable {variable} sets nothing; {hint}"


def _variables(group: click.Group, context: click.Context, variable: str, prefix: str) -> tuple[set[str], set[str]]:
    """The variables that `variable` may be meant for, as documented, and the others that click takes too.

    They are those of the commands whose names it begins with; where there is none, of the nearest one and of `run`.
    """
    documented, accepted = set(), set()
    names = {name: f"{prefix}_{name}".replace("-", "_").upper() for name in group.list_commands(context)}
    begun = [name for name, start in names.items() if variable.startswith(f"{start}_")]
    for name in begun or _nearest(variable.removeprefix(f"{prefix}_"), list(names)):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found = _variables(command, context, variable, names[name])
            documented |= found[0]
            accepted |= found[1]
        accepted.add(f"{names[name]}_LOG_FORMAT")  # read before the command is known: errors in the line are told so
        for option in command.params if command is not None else ():
            if isinstance(option, click.Option):
                documented |= {str(option.envvar)} if option.envvar else set()
                accepted.add(f"{names[name]}_{option.name}".upper())
    return documented, accepted


def _nearest(rest: str, names: list[str]) -> list[str]:
    first = rest.split("_")[0].lower()
    return [name for name in names if name == "run"] + difflib.get_close_matches(first, names, n=1)
