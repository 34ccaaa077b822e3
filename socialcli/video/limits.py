"""How much a video may ask of this machine before it is refused."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

from socialcli.errors import TimeLimitError, VideoError


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Bounds that honest footage stays far below and a decompression bomb does not."""

    max_pixels: int = 2**26  # of one picture: 8192 x 8192; 8K video has 33 million
    max_file_bytes: int = 2**36  # 64 GiB: hours of camera footage
    max_packets: int = 20_000_000  # read for one clip, sound included: about four days

    until: float = math.inf  # the moment of `time.monotonic()` at which reading a clip is given up

    def check_time(self, where: Path) -> None:
        """Raise TimeLimitError where reading a clip has taken too long. It is looked at between pieces of the work."""
        if time.monotonic() > self.until:
            raise TimeLimitError(f"{where}: reading the clip takes longer than --timeout-per-question; cut it out")

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
                f"{where}: {size} bytes are more than the limit of {self.max_file_bytes}; cut out the clip"
            )


DEFAULT_LIMITS = DecodeLimits()
