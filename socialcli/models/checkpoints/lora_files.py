"""The folder of a LoRA adapter: checks that need no torch and so run before a model is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from socialcli.errors import CheckpointError
from socialcli.models.checkpoints.containment import check_links

CONFIG_NAME = "adapter_config.json"
WEIGHTS_NAME = "adapter_model.safetensors"

# Settings of peft that make a LoRA adapter more than a change to weights, and what they do.
_REFUSED = {
    "alora_invocation_tokens": "acts on a part of the prompt alone",
    "arrow_config": "chooses among further adapters",
    "layer_replication": "repeats the model's layers",
    "megatron_config": "needs Megatron",
}


@dataclass(frozen=True, slots=True)
class LoraFiles:
    """A LoRA adapter's folder and configuration; its weights are not read."""

    folder: Path
    config: Mapping[str, Any]  # adapter_config.json

    @property
    def weights(self) -> Path:
        """The file of the LoRA adapter's weights."""
        return self.folder / WEIGHTS_NAME

    @property
    def base_class(self) -> str | None:
        """The class of the model that the LoRA adapter was trained on; None where the configuration does not say."""
        mapping = self.config.get("auto_mapping")
        found = mapping.get("base_model_class") if isinstance(mapping, dict) else None
        return found if isinstance(found, str) else None


def read_lora(folder: str | Path) -> LoraFiles:
    """Read the configuration of the LoRA adapter in a local folder, and check that its weights exist.

    Raises CheckpointError where the folder or one of the two files is missing or links elsewhere, where the
    configuration is not JSON, and where it is not of LoRA.
    """
    path = Path(folder)
    _check_folder(path)
    check_links(path, (path / CONFIG_NAME, path / WEIGHTS_NAME), f"adapter {str(path)!r}")
    config = _config(path)
    kind = config.get("peft_type")
    if kind != "LORA":
        raise CheckpointError(f"adapter {str(path)!r} is not a LoRA adapter: its {CONFIG_NAME} says peft_type {kind!r}")
    for name, does in _REFUSED.items():
        if config.get(name):
            raise CheckpointError(
                f"adapter {str(path)!r} {does} ({name} in its {CONFIG_NAME}); --adapter takes what only changes weights"
            )
    if not (path / WEIGHTS_NAME).is_file():
        raise CheckpointError(
            f"adapter {str(path)!r} has no {WEIGHTS_NAME}; pickled weights are not opened: save it again with peft's "
            "save_pretrained"
        )
    return LoraFiles(path, config)


def _check_folder(path: Path) -> None:
    if path.is_file():
        raise CheckpointError(f"adapter {str(path)!r} is a file: name the folder that holds it")
    if not path.is_dir():
        raise CheckpointError(
            f"adapter {str(path)!r}: there is no such folder; an adapter on the hub must be downloaded to one first"
        )
    if not (path / CONFIG_NAME).is_file():
        whole = "; a whole model is named with --checkpoint" if (path / "config.json").is_file() else ""
        raise CheckpointError(
            f"adapter {str(path)!r} has no {CONFIG_NAME}: --adapter takes a folder as peft saves it{whole}"
        )


def _config(path: Path) -> dict[str, Any]:
    file = path / CONFIG_NAME
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CheckpointError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{file}: is not JSON: {error}; save or copy the adapter again") from error
    if not isinstance(config, dict):
        raise CheckpointError(f"{file}: is not a JSON object; save or copy the adapter again")
    return config
