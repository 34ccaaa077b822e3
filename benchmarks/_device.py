"""The device and number format of the benchmarks' models."""

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
    """The conditions of the figures: shape, number format, machine, version and repeats."""
    name = torch.cuda.get_device_name() if options.device == "cuda" else f"{torch.get_num_threads()} CPU threads"
    dtype = str(dtype_of(options)).removeprefix("torch.")
    return f"{options.shape}, {dtype}, {name}, torch {torch.__version__}; medians of {options.repeats}"


@contextmanager
def made_as(device: str, dtype: torch.dtype) -> Iterator[None]:
    """Create all tensors on `device`, models in `dtype`, so that a large model is never in main memory."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            yield
    finally:
        torch.set_default_dtype(before)


def wait_for(device: str | torch.device) -> None:
    """Wait until a GPU has finished its work."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
