"""`socialcli convert`: the converters that plug-ins provide, each a command of its own."""

from __future__ import annotations

import click

from socialcli.options.repeated import check_given_once
from socialcli.options.variables import name_variables
from socialcli.plugins.registry import registry


class Converters(click.Group):
    """A group whose subcommands are the registered converters."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the converters."""
        return list(registry().converters())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a converter's command; None where there is no such converter."""
        provided = registry().converters().get(cmd_name)
        return _named(provided.item.command, cmd_name) if provided else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the converter that the arguments name. Raises UnknownNameError, which suggests the nearest."""
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing:
            command = _named(registry().converter(name).item.command, name)
            check_given_once(command, name, args[1:], ctx)
            return name, command, args[1:]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of converters."""
        rows = [(name, one.item.summary) for name, one in registry().converters().items()]
        with formatter.section("Converters"):
            formatter.write_dl(rows)


def _named(command: click.Command, name: str) -> click.Command:
    """The command, with an environment variable for each option: SOCIALCLI_CONVERT_<NAME>_<OPTION>."""
    name_variables(command, f"SOCIALCLI_CONVERT_{name}")
    return command


@click.command(name="convert", cls=Converters)
def command() -> None:
    """Turn a public dataset or a tracker's files into episodes."""
