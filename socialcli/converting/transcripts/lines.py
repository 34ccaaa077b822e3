"""A line of a transcript: words with their times and, where the file says it, their speaker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """Words said from `start` to `end` seconds; `speaker` is the name in the file, None if there is none."""

    start: float
    end: float
    text: str
    speaker: str | None = None
