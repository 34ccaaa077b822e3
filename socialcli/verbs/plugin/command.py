"""`socialcli plugin`: the commands for authors of model plug-ins."""

from __future__ import annotations

import click

from socialcli.options.repeated import check_given_once
from socialcli.options.variables import name_variables
from socialcli.verbs.plugin.check import check
from socialcli.verbs.plugin.new.command import new


class Authoring(click.Group):
    """A group whose options can be set by environment variables, SOCIALCLI_PLUGIN_<COMMAND>_<OPTION>."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the group; None if there is no such one."""
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            name_variables(command, f"SOCIALCLI_PLUGIN_{cmd_name}")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name. Raises UsageError for an option that is given twice."""
        found = super().resolve_command(ctx, args)
        if found[1] is not None and not ctx.resilient_parsing:
            check_given_once(found[1], args[0], found[2], ctx)
        return found


@click.group(name="plugin", cls=Authoring)
def command() -> None:
    """Write a model plug-in, and check that its adapter is right."""


command.add_command(new)
command.add_command(check)
