"""(torch) What the alignment costs: time and memory of a whole prompt, relative to the plain model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import torch

from socialcli.alignment.attention import Alignment
from socialcli.conformance.checks import Case
from socialcli.conformance.subject import Subject, ask_all

_FRAMES = 8
_TURNS = 5
_ENOUGH = 10.0  # seconds of turns after which no further one is needed
_MOST = 3.0  # times the plain model: a layer of a tiny model is done so fast that the correction shows
_RESET_PEAK, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")  # of Linux


def cost(subject: Subject) -> Iterator[Case]:
    """Run one prompt with 8 frames, without and with the alignment of the default layers, in turns."""
    asked = ask_all(subject.open(_FRAMES))[:1]
    device, tokens = subject.adapter.device, f"{asked[0].encoded.length} tokens"
    conditions = {"plain": None, "aligned": Alignment()}
    seconds: dict[str, list[float]] = {name: [] for name in conditions}
    peaks: dict[str, list[float]] = {name: [] for name in conditions}
    for _ in range(1 + _TURNS):
        for name, alignment in conditions.items():
            took, peak = _measured(partial(subject.whole_logits, asked, alignment), device)
            seconds[name].append(took)
            peaks[name] += [] if peak is None else [peak / 1e6]
        if sum(map(sum, seconds.values())) > _ENOUGH:
            break
    if len(seconds["plain"]) > 1:  # the first turn pays for what is done once
        seconds = {name: took[1:] for name, took in seconds.items()}
    yield _ratio("time", median(seconds["aligned"]), median(seconds["plain"]), f"s, {tokens}")
    if peaks["plain"]:
        yield _ratio("peak memory", median(peaks["aligned"]), median(peaks["plain"]), f"MB, {tokens}")
    else:
        yield Case("peak memory", "skipped", f"not measured on {device.type} here")


def _ratio(name: str, aligned: float, plain: float, unit: str) -> Case:
    figures = f"{aligned / plain:.2f} times the plain model: {aligned:.4g} and {plain:.4g} {unit}"
    if aligned <= _MOST * plain:
        return Case(name, "passed", figures)
    return Case(name, "failed", f"{figures}; more than {_MOST:g} times: which part of the attention is not fused?")


def _measured(work: Callable[[], object], device: torch.device) -> tuple[float, int | None]:
    """Seconds, and the peak memory in bytes: on CUDA that of its tensors, on Linux that of the process; else None."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        torch.cuda.synchronize(device)
    elif _RESET_PEAK.exists():
        _RESET_PEAK.write_text("5")
    clock = time.perf_counter if device.type == "cuda" else time.process_time  # which others' work does not slow down
    started = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    took = clock() - started
    return took, torch.cuda.max_memory_allocated(device) if device.type == "cuda" else _peak_of_process()


def _peak_of_process() -> int | None:
    if not _RESET_PEAK.exists():
        return None
    line = next(one for one in _STATUS.read_text().splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024
