"""The hook of the TVQA+ converter. What reads the data set is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.plugins.hookspecs import Converter, hookimpl


@hookimpl
def socialcli_converters() -> Sequence[Converter]:
    """Return the one converter of this plug-in."""
    from .command import command

    return [Converter("tvqa-plus", "TVQA+: multiple-choice questions on clips of a television series", command)]
