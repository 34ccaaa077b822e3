"""The hook of the converter for tracks and subtitles. Its readers are imported on use."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.plugins.hookspecs import Converter, hookimpl


@hookimpl
def socialcli_converters() -> Sequence[Converter]:
    """Return this plug-in's converter."""
    from .command import command

    return [Converter("tracks", "your own videos with subtitles and tracked boxes", command)]
