"""The files of a checkpoint, found and looked at before any of them is loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.errors import CheckpointError
from socialcli.models.checkpoints.containment import INDEX, check_contained, shard_names
from socialcli.models.checkpoints.hub import WEIGHTS, Source
from socialcli.models.checkpoints.refusals import check_lfs_pointers, check_model_type, check_quantizer, read_config
from socialcli.models.contract import LoadOptions, ModelSpec

_LENGTH = 8  # bytes in front of the header, which say its length
_LARGEST_HEADER = 100_000_000  # bytes, as safetensors itself allows


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """The files that `options` name for a model of type `model_type`; each step raises CheckpointError."""

    options: LoadOptions
    spec: ModelSpec
    model_type: str  # of config.json, as transformers names the family

    def small(self) -> Path:
        """The folder with everything but the weights, once it is known to be one that can be loaded."""
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
        check_model_type(config["model_type"], self.model_type, originals, others, self._what)
        if self.options.weights:
            check_quantizer(config, self._what)
        return folder

    def with_weights(self, folder: Path) -> Path:
        """`folder`, that `small` gave, with the weights in it as well."""
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
    """The names of the weights in a local folder, of which none is read; none where they are not there."""
    names: set[str] = set()
    for file in shard_names(folder) or (WEIGHTS,):
        names |= _header(folder / file).keys() - {"__metadata__"}
    return frozenset(names)


def weights_bytes(folder: Path) -> int | None:
    """The bytes that the weights in a local folder take, quantised ones as they are; None where nothing tells.

    From model.safetensors.index.json, which is there before the weights are; else from the weights' own files.
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
    """Raise CheckpointError where a file of the weights in a local folder ends before what its header says is in it."""
    for name in shard_names(folder) or (WEIGHTS,):
        found, due = (folder / name).stat().st_size, _due_bytes(folder / name)
        if found < due:
            raise CheckpointError(
                f"{what}: its {name} is cut short, at {found} of {due} bytes, as by a download or a copy that was "
                "broken off; fetch it again"
            )


def _due_bytes(file: Path) -> int:
    """The bytes that a safetensors file has by its header, or as far as that can be read."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(_LENGTH), "little")
    if length > _LARGEST_HEADER:  # of another kind of file
        return _LENGTH
    places = (entry.get("data_offsets") for entry in _header(file).values() if isinstance(entry, dict))
    ends = [place[1] for place in places if isinstance(place, list) and len(place) == 2 and isinstance(place[1], int)]
    return _LENGTH + length + max(ends, default=0)


def _body_bytes(file: Path) -> int:
    """The bytes of a safetensors file behind its header, where the weights are."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(_LENGTH), "little")
    return max(0, file.stat().st_size - length - _LENGTH)


def _header(file: Path) -> dict[str, Any]:
    """The header of a safetensors file: a JSON object behind its length, 8 bytes, the lowest first."""
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(_LENGTH), "little")
            header = json.loads(opened.read(length)) if length <= _LARGEST_HEADER else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}
