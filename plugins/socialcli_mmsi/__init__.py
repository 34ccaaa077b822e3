"""The hook of the MMSI and OnlineMMSI converters. What reads the data sets is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.plugins.hookspecs import Converter, hookimpl


@hookimpl
def socialcli_converters() -> Sequence[Converter]:
    """Return the two converters of this plug-in."""
    from .command import command
    from .online_command import command as online_command

    return [
        Converter("mmsi", "MMSI: whom players of a social game address, mean and mention", command),
        Converter(
            "online-mmsi", "OnlineMMSI: the same, with the past alone, as its own release has it", online_command
        ),
    ]
