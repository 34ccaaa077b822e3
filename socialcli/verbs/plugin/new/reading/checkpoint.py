"""(torch) Opens a checkpoint without its weights: configuration, processor, and a model of shapes without numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from socialcli.errors import CheckpointError
from socialcli.models.checkpoints.containment import check_contained
from socialcli.models.checkpoints.hub import Source
from socialcli.models.checkpoints.refusals import check_lfs_pointers, read_config
from socialcli.models.loading import loading_errors
from socialcli.verbs.plugin.new.facts import Classes
from socialcli.verbs.plugin.new.reading.classes import find_classes, library_class


@dataclass(frozen=True, slots=True)
class Parts:
    """A checkpoint in memory, as transformers' own objects."""

    classes: Classes
    config: Any
    processor: Any
    model: Any  # on torch's meta device


def open_checkpoint(source: Source, allow_links: bool) -> Parts:
    """The checkpoint's small files as objects. No weight file is read, and none of its own code is run.

    Raises CheckpointError for a checkpoint that is missing or has no class in transformers.
    """
    what = f"checkpoint {source.checkpoint!r}"
    folder = source.small_files()
    if (folder / "adapter_config.json").exists():
        raise CheckpointError(f"{what} holds a LoRA adapter: name the model that it was trained on")
    check_contained(folder, what, allow_links)
    check_lfs_pointers(folder, what)
    classes = find_classes(read_config(folder, what), folder, what)
    model_class, processor_class = library_class(classes.model), library_class(classes.processor)
    with loading_errors(source.checkpoint):
        config = model_class.config_class.from_pretrained(str(folder))
        processor = processor_class.from_pretrained(str(folder), trust_remote_code=False)
        with torch.device("meta"):
            return Parts(classes, config, processor, model_class(config))
