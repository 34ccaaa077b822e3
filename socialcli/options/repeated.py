"""Options that are given several times and take one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from socialcli.errors import UsageError
from socialcli.options.names import long_name


def check_given_once(command: click.Command, name: str, args: Sequence[str], parent: click.Context) -> None:
    """Raise UsageError where the command line gives an option with a single value several times: one would be lost.

    A value of the environment or the settings file counts for nothing here: the command line overrides it.
    """
    context = click.Context(command, info_name=name, parent=parent)
    try:
        _, _, order = command.make_parser(context).parse_args(list(args))
    except click.UsageError:
        return  # whoever parses them to the end says so
    for option, times in Counter(one for one in order if isinstance(one, click.Option)).items():
        if times > 1 and not (option.multiple or option.is_flag or option.count):
            raise UsageError(f"--{long_name(option)} is given {times} times and takes one value; leave all but one out")
