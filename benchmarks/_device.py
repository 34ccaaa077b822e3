"""Where the models of the benchmarks run, and in which number format."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def device_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--device` and `--dtype`."""
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default: %(default)s")
    formats = ["float32", "bfloat16", "float16"]
    parser.add_argument("--dtype", choices=formats, help="default: bfloat16 on a GPU, float32 on a CPU")


def dtype_of(options: argparse.Namespace) -> torch.dtype:
    """The number format that the options name."""
    dtype: torch.dtype = getattr(torch, options.dtype or ("bfloat16" if options.device == "cuda" else "float32"))
    return dtype


def machine(options: argparse.Namespace) -> str:
    """What the figures hold for: shape, number format, machine, version, and how often it was measured."""
    name = torch.cuda.get_device_name() if options.device == "cuda" else f"{torch.get_num_threads()} CPU threads"
    dtype = str(dtype_of(options)).removeprefix("torch.")
    return f"{options.shape}, {dtype}, {name}, torch {torch.__version__}; medians of {options.repeats}"


@contextmanager
def made_as(device: str, dtype: torch.dtype) -> Iterator[None]:
    """Make all tensors on `device`, those of models in `dtype`: a large model is never in the main memory."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            yield
    finally:
        torch.set_default_dtype(before)


def wait_for(device: str | torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
