"""The hook of the MMSI and OnlineMMSI converters. The readers of the data sets are imported on use."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.plugins.hookspecs import Converter, hookimpl


@hookimpl
def socialcli_converters() -> Sequence[Converter]:
    """Return this plug-in's two converters."""
    from .command import command
    from .online_command import command as online_command

    return [
        Converter("mmsi", "MMSI: whom players of a social game address, mean and mention", command),
        Converter("online-mmsi", "OnlineMMSI: the same from the past only, from its own release", online_command),
    ]
