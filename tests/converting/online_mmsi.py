"""Folders in the layout of OnlineMMSI's release, with videos."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from ..video.clips import write_video

DIALOGUE = "Here is what the players say.\n[Player0]: Who took it?\n[Player2] (00:12): I think [Player1] did.\n"


def folder(root: Path, rows: Sequence[tuple[str, str, str]], split: str = "test") -> Path:
    """Write a split's metadata.csv, with rows of file name, user's and assistant's words; the folder of all splits."""
    place = root / "data" / split
    place.mkdir(parents=True, exist_ok=True)
    with (place / "metadata.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file_name", "video_name", "user", "assistant"])
        writer.writerows((name, name, user, answer) for name, user, answer in rows)
    return root / "data"


def film(root: Path, name: str, seconds: int = 4) -> None:
    """A video that ends after `seconds`, of two pictures a second."""
    (root / "data" / "test").mkdir(parents=True, exist_ok=True)
    write_video(root / "data" / "test" / name, 2 * seconds, rate=2)
