"""The hook of the converters for tracks and transcripts. Their readers are imported on use."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.plugins.hookspecs import Converter, hookimpl


@hookimpl
def socialcli_converters() -> Sequence[Converter]:
    """Return this plug-in's converters."""
    from .command import command
    from .tiers import ELAN, TEXTGRID, elan, textgrid

    return [
        Converter("tracks", "your own videos with subtitles and tracked boxes", command),
        Converter("elan", ELAN, elan),
        Converter("textgrid", TEXTGRID, textgrid),
    ]
