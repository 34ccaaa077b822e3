"""A checkpoint or LoRA adapter opens the files of its own folder, and no others.

Whoever made the folder wrote the links in it and the names of further files in its configuration. Both may lead
anywhere, and the libraries that load it follow them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from socialcli.errors import CheckpointError

INDEX = "model.safetensors.index.json"
TOKENIZER = "tokenizer_config.json"
PROCESSORS = ("processor_config.json", "audio_tokenizer_config.json")

_READ = frozenset({".json", ".jinja", ".safetensors", ".model", ".tiktoken", ".txt"})  # what libraries read there
_TEMPLATES = "additional_chat_templates"  # the one folder in it that they look into


def check_contained(folder: Path, what: str) -> None:
    """Raise CheckpointError where a file that a checkpoint in a local `folder` consists of lies elsewhere.

    Neither a symbolic link (see `check_links`) nor a name in a configuration may leave the folder.
    """
    check_links(folder, _read_files(folder), what)
    for file, names in _named(folder):
        for name in names:
            if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
                raise CheckpointError(
                    f"{what}: its {file} names {name!r}, which is not in its folder; fetch or convert it again"
                )
        check_links(folder, (folder / name for name in names), what)
    for file in PROCESSORS:
        if not {"audio_tokenizer", "audio_tokenizer_name_or_path"}.isdisjoint(_fields(folder / file)):
            raise CheckpointError(
                f"{what}: its {file} names a further checkpoint, an audio tokenizer, which no video needs; remove it"
            )


def check_links(folder: Path, paths: Iterable[Path], what: str) -> None:
    """Raise CheckpointError where one of `paths` in `folder` is a symbolic link out of it.

    In a snapshot of the hub's cache all files are links, to the blobs of the same repository: these are its own.
    """
    roots = _roots(folder)
    for path in paths:
        try:
            place = path.resolve()
        except (OSError, RuntimeError):  # links in a circle: nothing can be opened through them
            continue
        if not any(place.is_relative_to(root) for root in roots):
            raise CheckpointError(
                f"{what}: its {path.name} is a symbolic link out of its folder, to {place}; copy the file there"
            )


def _roots(folder: Path) -> list[Path]:
    real = folder.resolve()
    repository = real.parent.parent
    is_snapshot = real.parent.name == "snapshots" and repository.name.startswith("models--")
    return [real, repository / "blobs"] if is_snapshot else [real]


def _read_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.suffix in _READ or path.name == _TEMPLATES:
            yield path
    if (folder / _TEMPLATES).is_dir():
        yield from sorted((folder / _TEMPLATES).iterdir())


def _named(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The files that configurations name as parts of the checkpoint."""
    shards = _fields(folder / INDEX).get("weight_map")
    yield INDEX, _texts(shards.values() if isinstance(shards, dict) else ())
    tokenizers = _fields(folder / TOKENIZER).get("fast_tokenizer_files")
    yield TOKENIZER, _texts(tokenizers if isinstance(tokenizers, list) else ())


def _texts(values: Iterable[object]) -> list[str]:
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _fields(file: Path) -> dict[str, Any]:
    """The fields of a JSON object; none where it cannot be read, which whoever loads it tells better."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
