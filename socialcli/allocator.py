"""glibc's memory allocator, set for work that allocates and frees the same large blocks again and again.

By default, glibc returns freed blocks of some megabytes to the system. The next layer of a model gets them back page by
page, each zeroed by the system first: up to a sixth of the time of a small model on a CPU.
"""

from __future__ import annotations

import ctypes
import os

# The options of mallopt(3), and the environment variables that set them before the process starts.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")

KEPT = 512 << 20  # bytes of freed memory that the process keeps at most
LARGEST = 32 << 20  # bytes of a block that is kept; glibc allows no more


def keep_freed_memory() -> bool:
    """Let the process keep up to `KEPT` bytes of freed memory; return whether it does.

    Nothing changes where the environment sets the allocator already, and where there is no glibc.
    """
    if any(name in os.environ for name in _VARIABLES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # not Linux, or another C library
        return False
    return bool(mallopt(_MMAP_THRESHOLD, LARGEST)) and bool(mallopt(_TRIM_THRESHOLD, KEPT))
