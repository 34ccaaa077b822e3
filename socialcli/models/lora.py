"""(torch) A LoRA adapter on top of a model that is loaded."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel

from socialcli.errors import CheckpointError
from socialcli.models.checkpoints.load_errors import explaining
from socialcli.models.checkpoints.lora_files import CONFIG_NAME, LoraFiles, read_lora

_NAME = "default"  # by which peft knows the one adapter that there is


def apply_lora(model: Any, folder: str | Path, merge: bool = False) -> Any:
    """Load the adapter in a local `folder` into `model`, a transformers model with its weights, and return this.

    The LoRA layers stay beside the weights that they add to, in float32 whatever these are in; with `merge` they are
    added to these, rounded to their format, and go. They may be anywhere in the model, the vision tower included.

    Raises CheckpointError where the folder holds no whole LoRA adapter in safetensors, and where the adapter does not
    fit the model: each of its weights must find its place there, and each place its weight. The model is then unusable.
    """
    files = read_lora(folder)
    with explaining(
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
            f"adapter {str(files.folder)!r} was trained on another model: on {files.base_class}, and this is {names[0]}"
        )


def _check_known(files: LoraFiles) -> None:
    """peft itself ignores settings that it does not know, and would load another adapter than was trained."""
    known = {field.name for field in dataclasses.fields(LoraConfig)}
    unknown = sorted(name for name, value in files.config.items() if value and name not in known)
    if unknown:
        raise CheckpointError(
            f"adapter {str(files.folder)!r}: the installed peft does not know {', '.join(unknown)} in its "
            f"{CONFIG_NAME}, which peft {files.config.get('peft_version', 'of another version')} wrote; update peft"
        )


def _wrapped(files: LoraFiles, model: Any) -> PeftModel:
    """The model with the adapter in it, every weight of which has been placed."""
    folder, device = str(files.folder), str(model.device)
    with warnings.catch_warnings(action="ignore"):  # what is missing or does not fit is told below, in one line
        config = LoraConfig.from_pretrained(folder)
        config.inference_mode = True
        wrapped = PeftModel(model, config, _NAME)
        # Weights of another size are left out, and so are among the missing ones.
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
