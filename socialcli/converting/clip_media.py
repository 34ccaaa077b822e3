"""Find a clip's video or images, its path in an episode, and its size."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from socialcli.errors import InvalidInputError, UsageError

SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v", ".mpg", ".ts", ".flv")


@dataclass(frozen=True, slots=True)
class ClipMedia:
    """The video or images of a clip: `path` as in an episode, and the picture size in pixels as displayed.

    `found` is False if it does not exist yet; the size is then what the converter expects. `length` is the duration in
    seconds from the container, None unless a video file was opened.
    """

    path: str
    width: int
    height: int
    found: bool
    length: float | None = None


class MediaFolder:
    """A folder with one video, or one folder of images, per clip."""

    def __init__(self, folder: Path, media_root: Path, expected: tuple[int, int], fps: float | None = None) -> None:
        """Search `folder`, which must lie under `media_root`. Raises UsageError if it does not.

        `expected` is the size (width, height) of missing pictures. With `fps`, clips are folders of images; without,
        video files named after the clip with any of the usual suffixes, `.mp4` by default.
        """
        self._folder = folder
        self._below = _relative(folder, media_root)
        self._expected = expected
        self._fps = fps

    def find(self, clip: str) -> ClipMedia:
        """A clip's media. Raises VideoError if it cannot be read, InvalidInputError if `clip` cannot be a file name."""
        _check_name(clip)
        if self._fps is not None:
            place = self._folder / clip
        else:
            files = (self._folder / f"{clip}{suffix}" for suffix in SUFFIXES)
            place = next((file for file in files if file.exists()), self._folder / f"{clip}.mp4")
        name = (self._below / place.relative_to(self._folder)).as_posix()
        if not place.exists():
            return ClipMedia(name, *self._expected, found=False)
        return ClipMedia(name, *picture_size(place, self._fps), found=True)


def media_at(file: Path, media_root: Path, expected: tuple[int, int] = (0, 0)) -> ClipMedia:
    """A single video file with its length; if it is missing, `expected` is its size (width, height).

    Raises UsageError if it does not lie under the media root, VideoError if it cannot be read.
    """
    name = (_relative(file.parent, media_root) / file.name).as_posix()
    if not _is_text(name):
        raise UsageError(f"{name!r} is not valid Unicode text, which an episode requires; rename the file")
    if not file.exists():
        return ClipMedia(name, *expected, found=False)
    from socialcli.video.container import open_video
    from socialcli.video.limits import DEFAULT_LIMITS
    from socialcli.video.sampling import sample_frames

    frames = sample_frames(file, 2)  # the first and the last
    with open_video(file, DEFAULT_LIMITS) as video:
        length = max(frames.times[-1], video.duration or 0.0)  # the last picture is shown until the file ends
    return ClipMedia(name, frames.width, frames.height, found=True, length=length)


def frame_times(file: Path) -> tuple[float, ...]:
    """The time of each picture of a video file in seconds. Raises VideoError if it cannot be read."""
    from socialcli.video.container import open_video
    from socialcli.video.limits import DEFAULT_LIMITS
    from socialcli.video.listing import list_frames
    from socialcli.video.timing import Window

    with open_video(file, DEFAULT_LIMITS) as video:
        return tuple(video.clock.seconds(tick) for tick in list_frames(video, Window(None, None)).ticks)


def picture_size(place: Path, fps: float | None) -> tuple[int, int]:
    """Width and height of a video's pictures in pixels, as displayed. Raises VideoError."""
    from socialcli.video.sampling import sample_frames  # imports PyAV and numpy, which help pages do not need

    frames = sample_frames(place, 1, fps=fps)
    return frames.width, frames.height


def _check_name(clip: str) -> None:
    parts = PurePosixPath(clip).parts
    if not parts or "\0" in clip or clip.startswith("/") or ".." in parts or not _is_text(clip):
        raise InvalidInputError(f"a clip is named {clip!r}, which cannot be a file below a folder; correct its name")


def _is_text(name: str) -> bool:
    """Whether a name is valid Unicode: Python represents undecodable bytes of file names as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _relative(folder: Path, media_root: Path) -> Path:
    """The folder relative to the media root, with links resolved."""
    relative = Path(os.path.relpath(folder.resolve(), media_root.resolve()))
    if ".." in relative.parts:
        raise UsageError(
            f"the videos' folder {folder} does not lie under {media_root}, which video paths are relative to; "
            f"write the episodes to a folder above it, or name such a folder with --media-root, here and in `run`"
        )
    return relative
