"""Find the videos that an ELAN file links.

    <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/corpus/talk.mp4" MIME_TYPE="video/mp4" RELATIVE_MEDIA_URL="./talk.mp4"
                      TIME_ORIGIN="500"/>

MEDIA_URL is where the video lay on the computer of the annotator; RELATIVE_MEDIA_URL counts from the file's folder.
TIME_ORIGIN, if there is one, is the time in the video at which the annotations begin, in milliseconds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import unquote

from socialcli.converting.clip_media import SUFFIXES
from socialcli.converting.report import SourceError
from socialcli.converting.transcripts.tiers import MILLISECONDS, open_elan

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkedVideo:
    """A video that an ELAN file links: its `name`, the `places` at which it may lie, and its time of annotation 0."""

    name: str
    places: tuple[Path, ...]
    origin: float  # seconds

    @property
    def file(self) -> Path | None:
        """The first place at which there is a file."""
        return next((place for place in self.places if place.is_file()), None)


def linked_videos(path: Path) -> list[LinkedVideo]:
    """The videos that an ELAN file links, the first of which is the one that ELAN plays as its master.

    Only places beside the file count: its relative address, and its folder. Raises NotFoundError and SourceError.
    """
    found = (_linked(path, described) for described in open_elan(path).media_descriptors)
    return [video for video in found if video is not None]


def chosen_video(path: Path, linked: Sequence[LinkedVideo]) -> Path | None:
    """The first linked video that is there, None without one. Warns of others that are there."""
    there = [str(video.file) for video in linked if video.file is not None]
    if len(there) > 1:
        _log.warning("%s: links several videos; reads %s, not %s (see --video)", path, there[0], ", ".join(there[1:]))
    return Path(there[0]) if there else None


def origin_of(path: Path, video: Path) -> float:
    """The time in a video, in seconds, at which the annotations of an ELAN file begin; 0 if it does not link it."""
    return next((one.origin for one in linked_videos(path) if one.name == video.name), 0.0)


def _linked(path: Path, described: Mapping[str, Any]) -> LinkedVideo | None:
    """The video of a media descriptor; None if it describes another kind of media."""
    relative = unquote(str(described.get("RELATIVE_MEDIA_URL") or ""))
    name = PureWindowsPath(unquote(str(described.get("MEDIA_URL") or "")) or relative).name
    kind = str(described.get("MIME_TYPE") or "")
    if not name or not (kind.startswith("video") or Path(name).suffix.lower() in SUFFIXES):
        return None
    address = PureWindowsPath(relative)
    places = [] if address.anchor or relative.startswith("file:") else [address.as_posix()]
    return LinkedVideo(name, tuple(path.parent / place for place in (*places, name)), _origin(path, described))


def _origin(path: Path, described: Mapping[str, Any]) -> float:
    text = described.get("TIME_ORIGIN") or "0"
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII):
        message = f"is {text!r}, and must be milliseconds from 0; correct it"
        raise SourceError(path, None, "MEDIA_DESCRIPTOR.TIME_ORIGIN", message)
    return int(text) / MILLISECONDS
