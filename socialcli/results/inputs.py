"""inputs.json: the files that a run's answers were made from, with their sizes and times of last change.

It is what tells the same command, given again, at once that nothing has changed. Where a stamp differs, the contents
decide (`socialcli.results.keys`): a file that was only copied or touched costs no answer.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from socialcli.errors import CheckpointError
from socialcli.files import write_json
from socialcli.results.keys import deciding_files
from socialcli.settings.run import RunSettings

INPUTS_VERSION = "1.0"


def stamp(path: str | Path) -> str | None:
    """The size (bytes) and time of last change (ns) of a file, or a hash of those of a folder's files with their names.

    None where there is nothing. Folders in the folder do not count.
    """
    try:
        status = os.stat(path)
        return _of_files(path, _listed(path)) if stat.S_ISDIR(status.st_mode) else _of_file(status)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None


def model_stamp(path: str | Path) -> str | None:
    """The same of a file, or of those files in a model's folder that decide its answers."""
    return _of_files(path, deciding_files(Path(path))) if os.path.isdir(path) else stamp(path)


def _listed(folder: str | Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.is_file()]


def _of_file(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}"


def _of_files(folder: str | Path, files: Iterable[Path]) -> str | None:
    try:
        found = {file.relative_to(folder).as_posix(): _of_file(file.stat()) for file in files}
    except OSError:  # one of them has gone meanwhile
        return None
    return f"{len(found)}:{hashlib.sha256(json.dumps(found, sort_keys=True).encode('ascii')).hexdigest()[:32]}"


def clip_stamp(real_root: str | Path, path: str) -> str | None:
    """The stamp of an episode's clip; None also where the path leads out of the media root, where nobody looks.

    `real_root` is the media root as `os.path.realpath` names it.
    """
    try:
        place = os.path.realpath(os.path.join(real_root, path))
    except ValueError:  # a name that no file can have
        return None
    inside = place.startswith(os.path.join(real_root, ""))
    return stamp(place) if inside else None


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the answers of a run are made from. The stamps are to be taken before the files are read."""

    named: list[str]  # the places that the settings name, see `named_places`
    media_root: str
    files: dict[str, str | None]  # stamps of files and folders, by their path
    clips: dict[str, str | None] = field(default_factory=dict)  # by their path below the media root
    results: dict[str, str | None] = field(default_factory=dict)  # what the run left, by the files' names
    more_clips: dict[str, dict[str, str | None]] = field(default_factory=dict)  # of other files, by their media root

    @classmethod
    def of(cls, settings: RunSettings) -> Self:
        """What the settings name, without clips."""
        root, *named = named_places(settings)
        return cls([root, *named], root, {path: model_stamp(path) for path in named})

    def add_folders(self, folders: Iterable[Path]) -> None:
        """Take in the folders that the model was loaded from.

        Raises CheckpointError where one of them has changed since its stamp was taken: nobody knows what was loaded.
        """
        for path in _absolute(folders):
            if self.files.setdefault(path, now := model_stamp(path)) != now:
                raise CheckpointError(f"{path}: was changed while it was loaded; give the same command again")

    def add(self, path: str, root: Path | None = None) -> None:
        """Take in an episode's clip; `root` is the media root of its file where that is another one."""
        folder = self.media_root if root is None else os.path.abspath(root)
        clips = self.clips if folder == self.media_root else self.more_clips.setdefault(folder, {})
        if path not in clips:
            clips[path] = clip_stamp(os.path.realpath(folder), path)

    def write(self, path: Path, results: Iterable[Path] = ()) -> None:
        """Write inputs.json, whole or not at all, with stamps of the `results` beside it.

        Raises OSError where it cannot be written.
        """
        self.results.update((one.name, stamp(one)) for one in results)
        write_json(path, {"inputs_version": INPUTS_VERSION, **asdict(self)})


def unchanged(path: Path, settings: RunSettings) -> bool:
    """Whether inputs.json was written for what these settings name, and all that it lists is as it was."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["inputs_version"] != INPUTS_VERSION or record["named"] != named_places(settings):
            return False
        files, clips = record["files"], {record["media_root"]: record["clips"], **record.get("more_clips", {})}
        results = {path.with_name(name): found for name, found in record["results"].items()}
        same = all(model_stamp(one) == found for one, found in files.items())
        same = same and all(stamp(one) == found for one, found in results.items())
        return same and all(_same_clips(os.path.realpath(root), stamps) for root, stamps in clips.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _same_clips(real_root: str, stamps: Mapping[str, str | None]) -> bool:
    return all(clip_stamp(real_root, one) == found for one, found in stamps.items())


def named_places(settings: RunSettings) -> list[str]:
    """The places that settings name: the same settings, given in another folder, can name others."""
    checkpoint = (
        settings.model.checkpoint if settings.model.checkpoint and Path(settings.model.checkpoint).is_dir() else None
    )
    named = [
        settings.selection.episodes,
        *settings.selection.more_episodes,
        *filter(None, (settings.alignment.heads, settings.model.lora, checkpoint)),
    ]
    return _absolute([_media_root(settings), *named])


def _media_root(settings: RunSettings) -> str:
    return os.path.abspath(settings.selection.media_root or Path(settings.selection.episodes).parent)


def _absolute(paths: Iterable[str | Path]) -> list[str]:
    return [os.path.abspath(one) for one in paths]
