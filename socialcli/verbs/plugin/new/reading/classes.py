"""(torch) From a checkpoint's configuration to the classes of transformers that load it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import transformers
from transformers import CONFIG_MAPPING, MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, PROCESSOR_MAPPING

from socialcli.errors import CheckpointError
from socialcli.verbs.plugin.new.facts import Classes

_EXPERTS = "_moe"  # ends the `model_type` of a family's models with a mixture of experts
_PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")


def find_classes(config: Mapping[str, Any], folder: Path, what: str) -> Classes:
    """The classes for a checkpoint with this config.json; messages name it `what`.

    Raises CheckpointError where transformers has no class for it, or one that takes no frames.
    """
    model_type = str(config["model_type"])
    model = _model_class(config, model_type, what)
    processor = _processor_class(model_type, folder, what)
    return Classes(model_type, model, processor, _further(model_type, model, processor))


def library_class(name: str) -> Any:
    """The class of this name in transformers."""
    return getattr(transformers, name)


def _model_class(config: Mapping[str, Any], model_type: str, what: str) -> str:
    named = [str(one) for one in config.get("architectures") or ()]
    for name in (*named, _mapped(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, model_type)):
        if name is not None and hasattr(transformers, name):
            return name
    own = ", and its own code (auto_map in config.json) is never run" if config.get("auto_map") else ""
    wanted = f"{named[0]} of " if named else ""
    raise CheckpointError(
        f"{what}: the installed transformers {transformers.__version__} has no class for {wanted}model_type "
        f"{model_type!r}{own}; update transformers, or name a checkpoint converted for it"
    )


def _processor_class(model_type: str, folder: Path, what: str) -> str:
    for name in (*_saved_processors(folder), _mapped(PROCESSOR_MAPPING, model_type)):
        found = getattr(transformers, name, None) if name is not None else None
        if isinstance(found, type) and issubclass(found, transformers.ProcessorMixin):
            return found.__name__
    raise CheckpointError(
        f"{what}: transformers has no processor for model_type {model_type!r}, so it takes no frames; name a "
        "checkpoint of a model for images or video, with its processor's files"
    )


def _saved_processors(folder: Path) -> list[str]:
    """The names of the processor's class in the checkpoint's files."""
    found = []
    for name in _PROCESSOR_FILES:
        try:
            content = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # a file that is needed fails when the processor is loaded, with a message
            continue
        if isinstance(content, dict) and isinstance(content.get("processor_class"), str):
            found.append(content["processor_class"])
    return found


def _further(model_type: str, model: str, processor: str) -> tuple[tuple[str, str], ...]:
    """The same family with or without a mixture of experts: a sibling `model_type` with the same processor."""
    sibling = model_type.removesuffix(_EXPERTS) if model_type.endswith(_EXPERTS) else model_type + _EXPERTS
    name = _mapped(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING, sibling)
    if name is None or name == model or _mapped(PROCESSOR_MAPPING, sibling) != processor:
        return ()
    return ((sibling, name),)


def _mapped(mapping: Any, model_type: str) -> str | None:
    """The name of the class that one of transformers' mappings has for a model type; None where it has none."""
    found = mapping.get(CONFIG_MAPPING[model_type], None) if model_type in CONFIG_MAPPING else None
    return found.__name__ if isinstance(found, type) else None
