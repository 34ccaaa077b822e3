"""`socialcli convert elan` and `socialcli convert textgrid`: `convert tracks` for a transcript that names its video."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import click

from socialcli.converting.clip_media import SUFFIXES
from socialcli.errors import NotFoundError, UsageError

from .command import command as tracks

_FILE = click.Path(path_type=Path)
_REPLACED = ("videos", "subtitles", "diarization")  # parameters of `convert tracks` that the file takes the place of
_Find = Callable[[Path], Path]


def _of_tiers(name: str, suffix: str, summary: str, speakers: str, place: str, find: _Find) -> click.Command:
    """The command `name` for files that end in `suffix`, with the options of `convert tracks`.

    `speakers` and `place` say in its help who speaks, and where the video is that `find` finds without --video.
    """

    def convert(file: Path, video: Path | None, **options: Any) -> None:
        if file.suffix.lower() != suffix.lower():
            message = f"{file}: does not end in {suffix}; for other transcripts, use convert tracks --subtitles"
            raise UsageError(message)
        if not file.is_file():
            raise NotFoundError(f"{file}: there is no such file")
        assert tracks.callback is not None
        tracks.callback(videos=(video or find(file),), subtitles=file, diarization=None, **options)

    shared = [copy(one) for one in tracks.params if one.name not in _REPLACED]
    next(one for one in shared if one.name == "dataset").default = name
    first = next(index for index, one in enumerate(shared) if one.name == "tiers")  # of the options for sources
    own = click.Option(["--video"], type=_FILE, help=f"Video of the recording.  [default: {place}]")
    parameters = [click.Argument(["file"], type=_FILE, metavar=f"FILE{suffix}"), *shared[:first], own, *shared[first:]]
    text = f"""Convert {summary} to episodes.

    {speakers} The video is {place}. `convert tracks` reads a folder of such files with their videos.

    Exit codes: 0 done, 2 usage, 4 a source that cannot be read (with --skip-bad, only if nothing of it can be).
    """
    short = f"{summary[0].upper()}{summary[1:]}."
    return click.Command(name, callback=convert, params=parameters, help=text, short_help=short)


def _beside(file: Path) -> Path | None:
    """The video beside a file that has its name."""
    return next((video for suffix in SUFFIXES if (video := file.with_suffix(suffix)).is_file()), None)


def _video_of_textgrid(file: Path) -> Path:
    video = _beside(file)
    if video is None:
        raise UsageError(f"{file}: has no video beside it, such as {file.stem}{SUFFIXES[0]}; name it with --video")
    return video


def _video_of_elan(file: Path) -> Path:
    from socialcli.converting.transcripts.linked_media import chosen_video, linked_videos  # imports pympi

    linked = linked_videos(file)
    video = chosen_video(file, linked) or _beside(file)
    if video is None:
        names = ", ".join(one.name for one in linked)
        what = (
            f"links {names}, which is not beside it"
            if names
            else f"links no video, and has no {file.stem}.mp4 beside it"
        )
        raise UsageError(f"{file}: {what}; put the video there, or name it with --video")
    return video


ELAN = "an ELAN file with its video"
TEXTGRID = "a TextGrid of Praat with its video"

elan = _of_tiers(
    "elan",
    ".eaf",
    ELAN,
    "A tier's speaker is its participant or, without one, its name; --tier chooses tiers.",
    "the one that the file links, at its relative address or beside the file",
    _video_of_elan,
)
textgrid = _of_tiers(
    "textgrid",
    ".TextGrid",
    TEXTGRID,
    "An interval tier's speaker is its name; --tier chooses tiers.",
    "the one with the file's name beside it",
    _video_of_textgrid,
)
