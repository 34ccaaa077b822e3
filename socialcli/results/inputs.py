"""inputs.json: the files that a run's answers depend on, with their signatures (sizes and modification times).

With it the same command, given again, sees at once that nothing has changed. Where a signature differs, the contents
decide (`socialcli.results.keys`): if a file is only copied or touched, no question is asked again.
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


def signature(path: str | Path) -> str | None:
    """The size (bytes) and modification time (ns) of a file, or a hash of those of a folder's files with their names.

    None if the path does not exist. Ignores folders in the folder.
    """
    try:
        status = os.stat(path)
        return _of_files(path, _listed(path)) if stat.S_ISDIR(status.st_mode) else _of_file(status)
    except (OSError, ValueError):  # ValueError: an impossible file name
        return None


def model_signature(path: str | Path) -> str | None:
    """The signature of a file, or of the files in a model's folder that decide its answers."""
    return _of_files(path, deciding_files(Path(path))) if os.path.isdir(path) else signature(path)


def _listed(folder: str | Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.is_file()]


def _of_file(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}"


def _of_files(folder: str | Path, files: Iterable[Path]) -> str | None:
    try:
        found = {file.relative_to(folder).as_posix(): _of_file(file.stat()) for file in files}
    except OSError:  # one of them was removed meanwhile
        return None
    return f"{len(found)}:{hashlib.sha256(json.dumps(found, sort_keys=True).encode('ascii')).hexdigest()[:32]}"


def clip_signature(real_root: str | Path, path: str) -> str | None:
    """The signature of an episode's clip; None also where the path leads out of the media root.

    `real_root` is the media root after `os.path.realpath`.
    """
    try:
        place = os.path.realpath(os.path.join(real_root, path))
    except ValueError:  # an impossible file name
        return None
    inside = place.startswith(os.path.join(real_root, ""))
    return signature(place) if inside else None


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files that the answers of a run depend on. Take the signatures before the files are read."""

    named: list[str]  # the paths in the settings, see `named_paths`
    media_root: str
    files: dict[str, str | None]  # signatures of files and folders, by path
    clips: dict[str, str | None] = field(default_factory=dict)  # by path below the media root
    results: dict[str, str | None] = field(default_factory=dict)  # files that the run wrote, by name
    more_clips: dict[str, dict[str, str | None]] = field(default_factory=dict)  # of other episodes files, by media root

    @classmethod
    def of(cls, settings: RunSettings) -> Self:
        """The files that the settings name, without clips."""
        root, *named = named_paths(settings)
        return cls([root, *named], root, {path: model_signature(path) for path in named})

    def add_folders(self, folders: Iterable[Path]) -> None:
        """Add the folders that the model was loaded from.

        Raises CheckpointError where one has changed since its signature was taken: what was loaded is unknown.
        """
        for path in _absolute(folders):
            if self.files.setdefault(path, now := model_signature(path)) != now:
                raise CheckpointError(f"{path}: changed while it was being loaded; run the same command again")

    def add(self, path: str, root: Path | None = None) -> None:
        """Add an episode's clip; `root` is the media root of its file, if it has another one."""
        folder = self.media_root if root is None else os.path.abspath(root)
        clips = self.clips if folder == self.media_root else self.more_clips.setdefault(folder, {})
        if path not in clips:
            clips[path] = clip_signature(os.path.realpath(folder), path)

    def write(self, path: Path, results: Iterable[Path] = ()) -> None:
        """Write inputs.json atomically, with signatures of the `results` beside it.

        Raises OSError where it cannot be written.
        """
        self.results.update((one.name, signature(one)) for one in results)
        write_json(path, {"inputs_version": INPUTS_VERSION, **asdict(self)})


def unchanged(path: Path, settings: RunSettings) -> bool:
    """Whether inputs.json is of these settings, and nothing that it lists has changed."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["inputs_version"] != INPUTS_VERSION or record["named"] != named_paths(settings):
            return False
        files, clips = record["files"], {record["media_root"]: record["clips"], **record.get("more_clips", {})}
        results = {path.with_name(name): found for name, found in record["results"].items()}
        same = all(model_signature(one) == found for one, found in files.items())
        same = same and all(signature(one) == found for one, found in results.items())
        return same and all(_same_clips(os.path.realpath(root), found) for root, found in clips.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _same_clips(real_root: str, signatures: Mapping[str, str | None]) -> bool:
    return all(clip_signature(real_root, one) == found for one, found in signatures.items())


def named_paths(settings: RunSettings) -> list[str]:
    """The absolute paths that the settings name; the same settings in another folder can name others."""
    model = settings.model
    local = model.checkpoint if model.checkpoint and Path(model.checkpoint).is_dir() else None
    named: list[str | Path] = [*settings.selection.files, *filter(None, (settings.alignment.heads, model.lora, local))]
    return _absolute([_media_root(settings), *named])


def _media_root(settings: RunSettings) -> str:
    return os.path.abspath(settings.selection.media_root or Path(settings.selection.episodes).parent)


def _absolute(paths: Iterable[str | Path]) -> list[str]:
    return [os.path.abspath(one) for one in paths]
