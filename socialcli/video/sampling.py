"""Samples frames of a clip, uniform in time, from a video file or a folder of images."""

from __future__ import annotations

from pathlib import Path

from socialcli.errors import VideoError
from socialcli.video.decoding import sample_file
from socialcli.video.folder import sample_folder
from socialcli.video.frames import FrameSet
from socialcli.video.limits import DEFAULT_LIMITS, DecodeLimits
from socialcli.video.timing import Window


def sample_frames(
    path: Path,
    count: int,
    start: float | None = None,
    end: float | None = None,
    fps: float | None = None,
    *,
    limits: DecodeLimits = DEFAULT_LIMITS,
) -> FrameSet:
    """Sample `count` frames from `start` to `end` seconds of a video file, or of a folder of images at `fps`.

    Target times are uniform from the first to the last frame that is presented in the window, both included
    (`numpy.linspace`, as LLaVA-NeXT-Video and lmms-eval sample, but over presentation time instead of frame
    numbers); a count of 1 takes their middle. Each target takes the nearest frame in the window, of two equally
    near ones the earlier. Frames repeat, as the same object, where the window has fewer than `count`. If no frame
    begins in the window, all are the one on screen at its start, with its own time, before the window.

    The path is opened unchecked: pass one from an episode through `resolve_media` first. `fps` is ignored for a
    video file. Raises VideoError where the window cannot be read completely or shows nothing, ValueError where
    `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"count is {count}; ask for at least one frame")
    window = Window(start, end)
    if path.is_dir():
        frames = sample_folder(path, count, window, fps, limits)
    elif path.is_file():
        frames = sample_file(path, count, window, limits)
    else:
        raise VideoError(f"{path}: no such video file or folder of images; check the path")
    sizes = sorted({(frame.image.shape[1], frame.image.shape[0]) for frame in frames})
    if len(sizes) > 1:
        listed = ", ".join(f"{width}x{height}" for width, height in sizes)
        raise VideoError(f"{path}: the pictures have different sizes ({listed}); scale all to one size")
    return FrameSet(tuple(frames), distinct=len({id(frame) for frame in frames}))


def check_size(frames: FrameSet, width: int, height: int) -> None:
    """Raise VideoError where the frames are not of the annotated size, pixels: boxes would be misplaced."""
    if (frames.width, frames.height) == (width, height):
        return
    message = (
        f"the video's pictures are {frames.width}x{frames.height} pixels and the annotation says {width}x{height}, "
        f"so boxes would be misplaced"
    )
    if (frames.width, frames.height) == (height, width):
        raise VideoError(
            f"{message}. Width and height are swapped: rotation metadata is applied, as in a player; annotate "
            f"the video as displayed"
        )
    raise VideoError(f"{message}; correct video.width and video.height, or use the video that was annotated")
