"""The hook of the converter of tracks and subtitles. What reads them is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from socialcli.plugins.hookspecs import Converter, hookimpl


@hookimpl
def socialcli_converters() -> Sequence[Converter]:
    """Return the one converter of this plug-in."""
    from .command import command

    return [Converter("tracks", "a video of your own, with subtitles and tracked boxes", command)]
