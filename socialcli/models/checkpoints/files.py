"""Finds a checkpoint's files and checks them before any of them is loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.errors import CheckpointError
from socialcli.models.checkpoints.containment import INDEX, check_contained, shard_names
from socialcli.models.checkpoints.hub import WEIGHTS, Source
from socialcli.models.checkpoints.refusals import check_lfs_pointers, check_model_type, check_quantizer, read_config
from socialcli.models.contract import LoadOptions, ModelSpec

_LENGTH = 8  # bytes before the header that hold its length
_LARGEST_HEADER = 100_000_000  # bytes, as safetensors itself allows


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """The files that `options` name for a model of one of `model_types`; each step raises CheckpointError."""

    options: LoadOptions
    spec: ModelSpec
    model_types: Sequence[str]  # as in config.json

    def small(self) -> Path:
        """The folder with everything but the weights, checked as far as that allows."""
        folder = self._source.small_files()
        if (folder / "adapter_config.json").exists():
            raise CheckpointError(
                f"{self._what} holds a LoRA adapter (adapter_config.json): name its folder with --adapter, "
                "and with --checkpoint the model that it was trained on, in a folder of its own"
            )
        check_contained(folder, self._what, self.options.allow_links)
        check_lfs_pointers(folder, self._what)
        config = read_config(folder, self._what)
        others, originals = self.options.other_models, self.spec.originals
        check_model_type(config["model_type"], self.model_types, originals, others, self._what)
        if self.options.weights:
            check_quantizer(config, self._what)
        return folder

    def with_weights(self, folder: Path) -> Path:
        """The `folder` of `small`, with the weights added and checked."""
        whole = self._source.weights(folder)
        check_contained(whole, self._what, self.options.allow_links)
        check_lfs_pointers(whole, self._what)
        check_whole(whole, self._what)
        return whole

    @property
    def _source(self) -> Source:
        return Source(self.options.checkpoint, self.options.revision)

    @property
    def _what(self) -> str:
        return f"checkpoint {self.options.checkpoint!r}"


def weight_names(folder: Path) -> frozenset[str]:
    """The names of the weights in a local folder, from the files' headers; none if the files are missing."""
    names: set[str] = set()
    for file in shard_names(folder) or (WEIGHTS,):
        names |= _header(folder / file).keys() - {"__metadata__"}
    return frozenset(names)


def weights_bytes(folder: Path) -> int | None:
    """The size of the weights in a local folder as stored, bytes; None if unknown.

    From model.safetensors.index.json, which is downloaded before the weights; else from the weights' own files.
    """
    try:
        metadata = json.loads((folder / INDEX).read_text(encoding="utf-8")).get("metadata")
        total = metadata.get("total_size") if isinstance(metadata, dict) else None
    except (OSError, ValueError, AttributeError, RecursionError):
        total = None
    if isinstance(total, int | float) and not isinstance(total, bool) and total > 0:
        return int(total)
    files = [folder / name for name in shard_names(folder) or (WEIGHTS,)]
    return sum(map(_body_bytes, files)) if all(file.is_file() for file in files) else None


def check_whole(folder: Path, what: str) -> None:
    """Raise CheckpointError for a weight file in a local folder that is shorter than its header says."""
    for name in shard_names(folder) or (WEIGHTS,):
        found, expected = (folder / name).stat().st_size, _expected_bytes(folder / name)
        if found < expected:
            raise CheckpointError(
                f"{what}: its {name} is cut short, at {found} of {expected} bytes, as by an interrupted download or "
                "copy; fetch it again"
            )


def _expected_bytes(file: Path) -> int:
    """The size of a safetensors file by its header, bytes; a lower bound where that is unreadable."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(_LENGTH), "little")
    if length > _LARGEST_HEADER:  # not a safetensors file
        return _LENGTH
    places = (entry.get("data_offsets") for entry in _header(file).values() if isinstance(entry, dict))
    ends = [place[1] for place in places if isinstance(place, list) and len(place) == 2 and isinstance(place[1], int)]
    return _LENGTH + length + max(ends, default=0)


def _body_bytes(file: Path) -> int:
    """The size of the weights in a safetensors file, which follow its header, bytes."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(_LENGTH), "little")
    return max(0, file.stat().st_size - length - _LENGTH)


def _header(file: Path) -> dict[str, Any]:
    """The header of a safetensors file: a JSON object after its length, 8 bytes, little-endian."""
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(_LENGTH), "little")
            header = json.loads(opened.read(length)) if length <= _LARGEST_HEADER else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}
