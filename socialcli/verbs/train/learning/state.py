"""(torch) The state of a training as one safetensors file: trainable weights, optimizer moments, progress.

The file is renamed once it is whole, so that whenever the process ends, either the old or the new state exists.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from socialcli.errors import InvalidInputError
from socialcli.files import atomic_path

_WEIGHT = "weight/"
_OS_ERROR = re.compile(r"\(os error ([0-9]+)\)")
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # torch.optim.AdamW's state of a weight that has had a gradient


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a training."""

    step: int  # updates done
    seconds: float  # spent on them


def save_state(
    path: Path, parameters: Mapping[str, Tensor], optimizer: torch.optim.Optimizer, progress: Progress
) -> None:
    """Write the state to `path`, whole or not at all. Raises OSError."""
    tensors = {_WEIGHT + name: weight.detach() for name, weight in parameters.items()}
    for name, weight in parameters.items():
        moments = optimizer.state[weight]
        tensors |= {f"{moment}/{name}": moments[moment] for moment in _MOMENTS if moment in moments}
    metadata = {"progress": json.dumps({"step": progress.step, "seconds": progress.seconds})}
    with atomic_path(path) as temporary, telling_os_errors(path):
        save_file({name: value.contiguous() for name, value in tensors.items()}, temporary, metadata)


@contextmanager
def telling_os_errors(path: Path) -> Iterator[None]:
    """Re-raise an error of the operating system from safetensors, while it writes `path`, as an OSError."""
    try:
        yield
    except SafetensorError as error:
        number = _OS_ERROR.search(str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def load_state(path: Path, parameters: Mapping[str, Tensor], optimizer: torch.optim.Optimizer) -> Progress:
    """Load the state from `path`. Raises InvalidInputError if it is damaged or belongs to other weights."""
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress(**json.loads(file.metadata()["progress"]))
        tensors = load_file(path)
    except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
        raise InvalidInputError(
            f"{path}: the state of the training is damaged ({error}); begin anew with --overwrite"
        ) from error
    if {name for name in tensors if name.startswith(_WEIGHT)} != {_WEIGHT + name for name in parameters}:
        raise InvalidInputError(f"{path}: is the state of a model with other weights; begin anew with --overwrite")
    with torch.no_grad():
        for name, weight in parameters.items():
            weight.copy_(tensors[_WEIGHT + name])
            if f"{_MOMENTS[0]}/{name}" in tensors:
                kept = {moment: tensors[f"{moment}/{name}"] for moment in _MOMENTS}
                optimizer.state[weight] = {
                    moment: value if moment == "step" else value.to(weight.device) for moment, value in kept.items()
                }
    return progress
