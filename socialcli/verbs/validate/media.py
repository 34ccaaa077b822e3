"""What keeps a run from opening the video that a record of an episodes file names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from socialcli.errors import VideoError

if TYPE_CHECKING:
    from socialcli.episodes.checking.problems import Problem
    from socialcli.episodes.reading import EpisodeRow


def media_problems(row: EpisodeRow, media_root: Path | None) -> Iterator[Problem]:
    """What is wrong with the video of a row, as far as the row names one; nothing without a `media_root`.

    Of a video file it is looked for alone; of a folder of images, whose names can be read at once, whether their
    running number has a gap or a repeat as well.
    """
    video = (row.record or {}).get("video")
    path = video.get("path") if isinstance(video, dict) else None
    if media_root is None or not isinstance(video, dict) or not isinstance(path, str):
        return
    from socialcli.episodes.checking.problems import Problem
    from socialcli.video.folder import image_files
    from socialcli.video.media import resolve_media  # what the video package imports is heavy

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
