"""(torch) Adds a LoRA adapter to a loaded model."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel

from socialcli.errors import CheckpointError
from socialcli.models.checkpoints.load_errors import as_checkpoint_error
from socialcli.models.checkpoints.lora_files import CONFIG_NAME, LoraFiles, read_lora

_NAME = "default"  # peft's name of the only LoRA adapter


def apply_lora(model: Any, folder: str | Path, merge: bool = False) -> Any:
    """Load the LoRA adapter in a local `folder` into `model`, a transformers model with weights; return the result.

    The LoRA layers stay beside the weights that they add to, in float32 whatever the model's dtype. With `merge` they
    are added to the weights, rounded to their dtype, and removed. Any part of the model can have them, the vision
    tower included.

    Raises CheckpointError where the folder holds no complete LoRA adapter in safetensors, and where it does not fit the
    model: weights and LoRA layers must match one to one. `model` is then unusable.
    """
    files = read_lora(folder)
    with as_checkpoint_error(
        f"adapter {str(files.folder)!r}", "Give --adapter a folder that peft has saved a LoRA adapter of this model to"
    ):
        _check_model(files, model)
        _check_known(files)
        wrapped = _wrapped(files, model)
        return wrapped.merge_and_unload() if merge else wrapped.get_base_model()


def _check_model(files: LoraFiles, model: Any) -> None:
    names = [kind.__name__ for kind in type(model).__mro__]
    if files.base_class is not None and files.base_class not in names:
        raise CheckpointError(
            f"adapter {str(files.folder)!r} was trained on another model: {files.base_class}; this is {names[0]}"
        )


def _check_known(files: LoraFiles) -> None:
    """peft ignores settings that it does not know, and would then load something other than what was trained."""
    known = {field.name for field in dataclasses.fields(LoraConfig)}
    unknown = sorted(name for name, value in files.config.items() if value and name not in known)
    if unknown:
        raise CheckpointError(
            f"adapter {str(files.folder)!r}: the installed peft does not know {', '.join(unknown)} in its "
            f"{CONFIG_NAME}, which peft {files.config.get('peft_version', 'of another version')} wrote; update peft"
        )


def _wrapped(files: LoraFiles, model: Any) -> PeftModel:
    """The model with the LoRA adapter in it; all of its weights have been used."""
    folder, device = str(files.folder), str(model.device)
    with warnings.catch_warnings(action="ignore"):  # missing and unexpected weights are reported below
        config = LoraConfig.from_pretrained(folder)
        config.inference_mode = True
        wrapped = PeftModel(model, config, _NAME)
        # Weights of another size are skipped, so they are among the missing ones.
        result = wrapped.load_adapter(folder, _NAME, torch_device=device, ignore_mismatched_sizes=True)
    _check_placed(files, "it lacks, or has in another size,", result.missing_keys)
    _check_placed(files, "the model has no place for its", result.unexpected_keys)
    return wrapped


def _check_placed(files: LoraFiles, what: str, keys: Collection[str]) -> None:
    if keys:
        more = f" and {len(keys) - 1} more weights" if len(keys) > 1 else ""
        first = min(keys).removeprefix("base_model.model.").replace(f".{_NAME}.", ".")
        raise CheckpointError(
            f"adapter {str(files.folder)!r} does not fit the model: {what} {first!r}{more}; was it trained on another "
            "checkpoint?"
        )
