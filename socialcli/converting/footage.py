"""Where a clip's pictures are, how an episode names them, and how large they are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from socialcli.errors import InvalidInputError, UsageError

SUFFIXES = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v", ".mpg", ".ts", ".flv")


@dataclass(frozen=True, slots=True)
class Footage:
    """The pictures of a clip: `path` as an episode names it, and the size of a picture in pixels as displayed.

    `found` is False where nothing is there yet; the size is then what the converter expects. `length` is how long
    it lasts by its container, in seconds: of a video file that was looked into, else None.
    """

    path: str
    width: int
    height: int
    found: bool
    length: float | None = None


class Shelf:
    """A folder of videos, or of folders of images, by the names of their clips."""

    def __init__(self, folder: Path, media_root: Path, expected: tuple[int, int], fps: float | None = None) -> None:
        """Look in `folder`, which must lie under `media_root`: UsageError where it does not.

        `expected` is the size (width, height) of pictures that are not there. With `fps`, clips are folders of
        images; without, video files of the clip's name with any of the usual suffixes, else `.mp4`.
        """
        self._folder = folder
        self._below = _relative(folder, media_root)
        self._expected = expected
        self._fps = fps

    def find(self, clip: str) -> Footage:
        """The pictures of a clip. Raises VideoError where they cannot be read, InvalidInputError for no file's name."""
        _check_name(clip)
        if self._fps is not None:
            place = self._folder / clip
        else:
            files = (self._folder / f"{clip}{suffix}" for suffix in SUFFIXES)
            place = next((file for file in files if file.exists()), self._folder / f"{clip}.mp4")
        name = (self._below / place.relative_to(self._folder)).as_posix()
        if not place.exists():
            return Footage(name, *self._expected, found=False)
        return Footage(name, *picture_size(place, self._fps), found=True)


def footage_at(file: Path, media_root: Path, expected: tuple[int, int] = (0, 0)) -> Footage:
    """A single video file, with its length; of the size (width, height) `expected` where it is not there.

    Raises UsageError where it does not lie under the media root, VideoError where it cannot be read.
    """
    name = (_relative(file.parent, media_root) / file.name).as_posix()
    if not _is_text(name):
        raise UsageError(f"{name!r} is no text that an episode can hold; rename the file")
    if not file.exists():
        return Footage(name, *expected, found=False)
    from socialcli.video.container import open_video
    from socialcli.video.limits import DEFAULT_LIMITS
    from socialcli.video.sampling import sample_frames

    frames = sample_frames(file, 2)  # the first and the last
    with open_video(file, DEFAULT_LIMITS) as video:
        length = max(frames.times[-1], video.duration or 0.0)  # the last picture stays until the file ends
    return Footage(name, frames.width, frames.height, found=True, length=length)


def frame_times(file: Path) -> tuple[float, ...]:
    """When each picture of a video file is shown, in seconds. Raises VideoError where it cannot be read."""
    from socialcli.video.container import open_video
    from socialcli.video.limits import DEFAULT_LIMITS
    from socialcli.video.listing import list_frames
    from socialcli.video.timing import Window

    with open_video(file, DEFAULT_LIMITS) as video:
        return tuple(video.clock.seconds(tick) for tick in list_frames(video, Window(None, None)).ticks)


def picture_size(place: Path, fps: float | None) -> tuple[int, int]:
    """Width and height of a video's pictures in pixels, as displayed. Raises VideoError."""
    from socialcli.video.sampling import sample_frames  # PyAV and numpy, which a help page does without

    frames = sample_frames(place, 1, fps=fps)
    return frames.width, frames.height


def _check_name(clip: str) -> None:
    parts = PurePosixPath(clip).parts
    if not parts or "\0" in clip or clip.startswith("/") or ".." in parts or not _is_text(clip):
        raise InvalidInputError(f"a clip is called {clip!r}, which can be no file below a folder; correct its name")


def _is_text(name: str) -> bool:
    """Whether a name is of whole characters: Python marks bytes of file names that are none with halves of pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _relative(folder: Path, media_root: Path) -> Path:
    """The folder as seen from the media root, whatever links lead to either."""
    relative = Path(os.path.relpath(folder.resolve(), media_root.resolve()))
    if ".." in relative.parts:
        raise UsageError(
            f"the videos' folder {folder} does not lie under {media_root}, from where the episodes name them; "
            f"write the episodes into a folder above it, or name such a folder with --media-root, also for `run`"
        )
    return relative
