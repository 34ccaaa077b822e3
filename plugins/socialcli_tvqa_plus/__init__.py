"""The hook of the TVQA+ converter. Its readers are imported on use."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.plugins.hookspecs import Converter, hookimpl


@hookimpl
def socialcli_converters() -> Sequence[Converter]:
    """Return this plug-in's converter."""
    from .command import command

    return [Converter("tvqa-plus", "TVQA+: multiple-choice questions about clips of a television series", command)]
