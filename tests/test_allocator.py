"""Freed memory stays with the process, so that the next layer of a model takes it without page faults."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from socialcli.allocator import keep_freed_memory

def work():
    return [np.ones(10 << 17) for _ in range(3)]  # 10 MB each

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

kept = keep_freed_memory()
for _ in range(3):
    work()
before = faults()
for _ in range(10):
    work()
print(kept, faults() - before)
"""
PAGES = 10 * 3 * 10 * 256  # of 4 KiB that the work touches


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the allocator of glibc")
@pytest.mark.parametrize(("setting", "kept"), [({}, True), ({"MALLOC_MMAP_THRESHOLD_": "65536"}, False)])
def test_freed_memory_is_kept_unless_the_environment_sets_the_allocator(setting: dict[str, str], kept: bool) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=others | setting, capture_output=True, text=True, check=True
    )
    said, faults = done.stdout.split()
    assert said == str(kept)
    assert (int(faults) < PAGES / 10) is kept


def test_without_glibc_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    from socialcli import allocator

    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _: object())
    assert allocator.keep_freed_memory() is False
