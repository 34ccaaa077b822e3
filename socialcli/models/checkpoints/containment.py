"""A checkpoint or LoRA adapter opens the files of its own folder, and no others.

Symbolic links in the folder and file names in its configuration come from whoever made it. Both can point anywhere,
and the libraries that load it follow them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from socialcli.errors import CheckpointError

INDEX = "model.safetensors.index.json"
TOKENIZER = "tokenizer_config.json"
PROCESSORS = ("processor_config.json", "audio_tokenizer_config.json")

_READ = frozenset({".json", ".jinja", ".safetensors", ".model", ".tiktoken", ".txt"})  # what the libraries read
_BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")  # a file name that is a hash of git or Git LFS
_ADVICE = "copy the file there, or add --allow-links if you made the link yourself"
_TEMPLATES = "additional_chat_templates"  # the only subfolder that they read


def check_contained(folder: Path, what: str, allow_links: bool = False) -> None:
    """Raise CheckpointError where a file of the checkpoint in a local `folder` lies outside it.

    Symbolic links (see `check_links`) must stay in the folder unless `allow_links`; names in a configuration must
    always stay in it.
    """
    if not allow_links:
        check_links(folder, _read_files(folder), what, _ADVICE)
    for file, names in _named(folder):
        for name in names:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise CheckpointError(
                    f"{what}: its {file} names {name!r}, which is not in its folder; fetch or convert it again"
                )
        if not allow_links:
            check_links(folder, (folder / name for name in names), what, _ADVICE)
    for file in PROCESSORS:
        if not {"audio_tokenizer", "audio_tokenizer_name_or_path"}.isdisjoint(_fields(folder / file)):
            raise CheckpointError(
                f"{what}: its {file} names a further checkpoint, an audio tokenizer, which no video needs; remove it"
            )


def check_links(folder: Path, paths: Iterable[Path], what: str, advice: str = "copy the file there") -> None:
    """Raise CheckpointError where one of `paths` in `folder` is a symbolic link out of it.

    In a snapshot of the hub's cache all files are links to blobs of the same repository. A link to a blob of any hub
    cache is allowed: that is how a folder shares weights with the cache, and a blob is a file of a published
    repository.
    """
    real = folder.resolve()
    for path in paths:
        try:
            place = path.resolve()
        except (OSError, RuntimeError):  # a circle of links: nothing can be opened through it
            continue
        if not place.is_relative_to(real) and not _is_blob(place):
            raise CheckpointError(f"{what}: its {path.name} is a symbolic link out of its folder, to {place}; {advice}")


def _is_blob(place: Path) -> bool:
    """Whether it is .../models--OWNER--NAME/blobs/HASH, a file in a hub cache."""
    blobs, repository = place.parent, place.parent.parent
    return blobs.name == "blobs" and repository.name.startswith("models--") and bool(_BLOB.fullmatch(place.name))


def shard_names(folder: Path) -> tuple[str, ...]:
    """The files that hold the weights, as model.safetensors.index.json names them; none without an index."""
    shards = _fields(folder / INDEX).get("weight_map")
    return tuple(_texts(shards.values() if isinstance(shards, dict) else ()))


def _read_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.suffix in _READ or path.name == _TEMPLATES:
            yield path
    if (folder / _TEMPLATES).is_dir():
        yield from sorted((folder / _TEMPLATES).iterdir())


def _named(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each configuration file, and the files that it names as parts of the checkpoint."""
    yield INDEX, list(shard_names(folder))
    tokenizers = _fields(folder / TOKENIZER).get("fast_tokenizer_files")
    yield TOKENIZER, _texts(tokenizers if isinstance(tokenizers, list) else ())


def _texts(values: Iterable[object]) -> list[str]:
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _fields(file: Path) -> dict[str, Any]:
    """The fields of a JSON object; none if it is unreadable: loading it later reports that better."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
