"""(torch) From a checkpoint's name to its model and processor in memory."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers.utils.logging import disable_progress_bar

from socialcli.errors import UsageError
from socialcli.logs import adopt
from socialcli.models.checkpoints.files import CheckpointFiles
from socialcli.models.checkpoints.load_errors import as_checkpoint_error, one_line
from socialcli.models.checkpoints.weights import WeightSource
from socialcli.models.contract import LoadOptions, ModelSpec


class Family(Protocol):
    """What loading needs to know of a model family; every subclass of `HuggingFaceAdapter` is one."""

    @classmethod
    def model_types(cls, spec: ModelSpec) -> Sequence[str]:
        """The values of `model_type` in config.json that the family loads."""
        ...

    @classmethod
    def class_for(cls, config: Any) -> type[Any]:
        """The model class of transformers for a configuration from `read_config`."""
        ...

    @classmethod
    def read_config(cls, folder: Path) -> Any:
        """The configuration of the checkpoint in a local `folder`, an object of transformers."""
        ...

    @classmethod
    def load_processor(cls, folder: Path, config: Any, checkpoint: str) -> Any:
        """The processor of the checkpoint in a local `folder`; messages name it `checkpoint`."""
        ...


@dataclass(frozen=True, slots=True)
class LoadedCheckpoint:
    """A checkpoint in memory, as transformers' own objects, and the local folder it came from."""

    model: Any
    processor: Any
    folder: Path


def load_checkpoint(family: type[Family], spec: ModelSpec, options: LoadOptions) -> LoadedCheckpoint:
    """Load the model and processor that `options` name: safetensors only, none of the checkpoint's own code.

    Without `options.weights` the model has shapes but no numbers (torch's meta device): no weight file is read.

    Raises CheckpointError for a checkpoint that is missing, of another family or lacks weights; UsageError for a device
    or dtype that does not exist. Errors of transformers pass through: see `loading_errors`.
    """
    device = _device(options.device)
    dtype = _dtype(options.dtype, device)
    files = CheckpointFiles(options, spec, family.model_types(spec))
    folder = files.small()
    config = family.read_config(folder)
    model_class = family.class_for(config)
    processor = family.load_processor(folder, config, options.checkpoint)
    if options.weights:
        source = WeightSource(model_class, files.with_weights(folder), config, options.checkpoint)
        return LoadedCheckpoint(source.load(dtype, device), processor, folder)
    with torch.device("meta"):
        return LoadedCheckpoint(model_class(config).to(dtype), processor, folder)


def loading_errors(checkpoint: str) -> AbstractContextManager[None]:
    """Re-raise whatever transformers raises for a checkpoint that cannot be loaded as one CheckpointError."""
    advice = "Fetch or convert it again: it needs config, processor and safetensors files as transformers saves them"
    return as_checkpoint_error(f"checkpoint {checkpoint!r}", advice)


def quiet_libraries() -> None:
    """Leave progress bars and load reports out of the log: a failure is reported once, by our own error."""
    disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # warns of each retry
    logging.getLogger("transformers.modeling_utils").addFilter(_is_no_load_report)
    logging.getLogger("transformers.processing_utils").addFilter(_is_no_note_on_arguments)
    adopt("transformers")


def _is_no_load_report(record: logging.LogRecord) -> bool:
    # A table of missing and mismatched weights: WeightSource says the same in one line.
    return "LOAD REPORT" not in record.getMessage()


def _is_no_note_on_arguments(record: logging.LogRecord) -> bool:
    # SmolVLM's processor of transformers 5.17 writes it about its own arguments, at every prompt.
    return "have to be in `processor_kwargs`" not in record.getMessage()


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()  # the meta device can be named, but holds no numbers
    except (RuntimeError, AssertionError, ImportError) as error:
        raise UsageError(f"device {name!r} is not available: {one_line(error)[:200]}") from error
    return device


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise UsageError(f"unsupported dtype {name!r}: write float32, bfloat16 or float16")
    return dtype
