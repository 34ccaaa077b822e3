"""How much work a video may cause before it is refused."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

from socialcli.errors import TimeLimitError, VideoError


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Limits that real videos stay far below and a decompression bomb does not."""

    max_pixels: int = 2**26  # of one picture: 8192 x 8192; 8K video has 33 million
    max_file_bytes: int = 2**36  # 64 GiB: hours of camera recordings
    max_packets: int = 20_000_000  # per clip, sound included: about four days

    until: float = math.inf  # when to give up reading a clip, by `time.monotonic()`

    def check_time(self, where: Path) -> None:
        """Raise TimeLimitError where reading a clip takes too long. Called between packets and images."""
        if time.monotonic() > self.until:
            raise TimeLimitError(
                f"{where}: reading the clip takes longer than --timeout-per-question; cut it out of the file"
            )

    def check_pixels(self, where: Path, width: int, height: int) -> None:
        """Raise VideoError where a picture of `width` x `height` pixels is too large."""
        if width * height > self.max_pixels:
            raise VideoError(
                f"{where}: pictures of {width}x{height} are larger than the limit of {self.max_pixels} "
                f"pixels; scale them down, and the boxes with them"
            )

    def check_bytes(self, where: Path, size: int) -> None:
        """Raise VideoError where a file of `size` bytes is empty or too large."""
        if size == 0:
            raise VideoError(f"{where}: the file is empty (0 bytes); fetch it again")
        if size > self.max_file_bytes:
            raise VideoError(
                f"{where}: {size} bytes exceed the limit of {self.max_file_bytes}; cut the clip out of the file"
            )


DEFAULT_LIMITS = DecodeLimits()
