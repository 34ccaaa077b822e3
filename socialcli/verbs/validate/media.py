"""Check that a run can open the video of an episode."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.errors import VideoError

if TYPE_CHECKING:
    from socialcli.episodes.checking.problems import Problem
    from socialcli.episodes.reading import EpisodeRow


def media_problems(row: EpisodeRow, media_root: Path | None) -> Iterator[Problem]:
    """The problems of a row's video, if the row names one; none without a `media_root`.

    A video file only has to exist; the names of a folder of images, which are quick to read, must be numbered without
    gaps or repeats.
    """
    video = (row.record or {}).get("video")
    path = video.get("path") if isinstance(video, dict) else None
    if media_root is None or not isinstance(video, dict) or not isinstance(path, str):
        return
    from socialcli.episodes.checking.problems import Problem
    from socialcli.video.folder import image_files
    from socialcli.video.media import resolve_media  # the video package has heavy imports

    try:
        place = resolve_media(media_root, path)
        if place.is_dir():
            image_files(place)
    except VideoError as error:
        yield Problem(row.row, "video.path", str(error))
        return
    if place.is_dir() and video.get("fps") is None:
        message = "is missing, and the video is a folder of images; add their number per second"
        yield Problem(row.row, "video.fps", message)
