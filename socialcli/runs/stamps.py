"""inputs.json: the files that a run's answers were made from, with their sizes and times of last change.

It is what tells the same command, given again, at once that nothing has changed. Where a stamp differs, the contents
decide (`socialcli.runs.keys`): a file that was only copied or touched costs no answer.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from socialcli.files import write_json
from socialcli.runs.settings import RunSettings

INPUTS_VERSION = "1.0"


def stamp(path: str | Path) -> str | None:
    """The size (bytes) and time of last change (ns) of a file, or of a folder's files; None where there is none."""
    try:
        status = os.stat(path)
        if not stat.S_ISDIR(status.st_mode):
            return f"{status.st_size}:{status.st_mtime_ns}"
        with os.scandir(path) as entries:
            found = [entry.stat(follow_symlinks=False) for entry in entries]
    except OSError:
        return None
    sizes, times = sum(one.st_size for one in found), max((one.st_mtime_ns for one in found), default=0)
    return f"{len(found)}:{sizes}:{times}"


def clip_stamp(real_root: str | Path, path: str) -> str | None:
    """The stamp of an episode's clip; None also where the path leads out of the media root, where nobody looks.

    `real_root` is the media root as `os.path.realpath` names it.
    """
    place = os.path.realpath(os.path.join(real_root, path))
    inside = place.startswith(os.path.join(real_root, ""))
    return stamp(place) if inside else None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the answers of a run are made from. The stamps are to be taken before the files are read."""

    named: list[str]  # the places that the settings name, see `named_places`
    media_root: str
    files: dict[str, str | None]  # stamps of files and folders, by their path
    clips: dict[str, str | None] = field(default_factory=dict)  # by their path below the media root

    @classmethod
    def of(cls, settings: RunSettings, folders: Iterable[Path]) -> Self:
        """What the settings name, and the `folders` that the model was loaded from; without clips."""
        files: list[str | Path] = [settings.episodes, *filter(None, [settings.heads]), *folders]
        return cls(named_places(settings), _media_root(settings), {path: stamp(path) for path in _absolute(files)})

    def add(self, path: str) -> None:
        """Take in an episode's clip."""
        if path not in self.clips:
            self.clips[path] = clip_stamp(os.path.realpath(self.media_root), path)

    def write(self, path: Path) -> None:
        """Write inputs.json, whole or not at all. Raises OSError where it cannot be written."""
        write_json(path, {"inputs_version": INPUTS_VERSION, **asdict(self)})


def unchanged(path: Path, settings: RunSettings) -> bool:
    """Whether inputs.json was written for what these settings name, and all that it lists is as it was."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["inputs_version"] != INPUTS_VERSION or record["named"] != named_places(settings):
            return False
        files, root, clips = record["files"], os.path.realpath(record["media_root"]), record["clips"]
        same = all(stamp(one) == found for one, found in files.items())
        return same and all(clip_stamp(root, one) == found for one, found in clips.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def named_places(settings: RunSettings) -> list[str]:
    """The places that settings name: the same settings, given in another folder, can name others."""
    checkpoint = settings.checkpoint if settings.checkpoint and Path(settings.checkpoint).is_dir() else None
    named = [settings.episodes, *filter(None, (settings.heads, settings.adapter, checkpoint))]
    return _absolute([_media_root(settings), *named])


def _media_root(settings: RunSettings) -> str:
    return os.path.abspath(settings.media_root or Path(settings.episodes).parent)


def _absolute(paths: Iterable[str | Path]) -> list[str]:
    return [os.path.abspath(one) for one in paths]
