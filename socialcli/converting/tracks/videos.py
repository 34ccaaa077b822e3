"""Choose the recording of a video in a file with several."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path, PureWindowsPath
from urllib.parse import unquote

from socialcli.converting.report import SourceError

_MOST_NAMED = 5
_UPLOAD = re.compile(r"[0-9a-f]{8}-")  # Label Studio puts it before the name of an uploaded file


def index_of_video(path: Path, recordings: Sequence[Collection[str]], video: Path) -> int:
    """The place of the recording that has the video's name; a single recording needs none.

    `recordings` are the names, paths or addresses of each one's video. Raises SourceError if not exactly one fits.
    """
    if len(recordings) == 1:
        return 0
    found = [place for place, names in enumerate(recordings) if any(_is_named(name, video) for name in names)]
    if len(found) == 1:
        return found[0]
    listed = sorted({name for names in recordings for name in names})
    shown = ", ".join(map(repr, listed[:_MOST_NAMED])) + (", ..." if len(listed) > _MOST_NAMED else "")
    message = (
        f"has {len(recordings)} videos ({shown}), of which {len(found) or 'none'} are called {video.name}; "
        f"export the annotations of this video alone, or rename it"
    )
    raise SourceError(path, None, None, message.replace("none are", "none is"))


def _is_named(name: str, video: Path) -> bool:
    """Whether a path or an address ends in the video's name, with any ending."""
    last = PureWindowsPath(unquote(name.partition("?")[0])).name
    return any(video.stem in (whole, Path(whole).stem) for whole in (last, _UPLOAD.sub("", last, count=1)))
