"""The pictures of inspections as PNG files: a folder a question, a page a frame, and a sheet."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from socialcli.errors import UsageError
from socialcli.files import atomic_write
from socialcli.inspection.pages import frame_page, sheet
from socialcli.inspection.report import Inspection
from socialcli.video.frames import FrameSet

_LONGEST_NAME = 100  # characters


class Album:
    """A folder of pictures: `NAME/sheet.png` and `NAME/frame-00.png` ... for each question."""

    def __init__(self, folder: Path) -> None:
        """Put pictures under `folder`, which is made when the first one is."""
        self._folder = folder
        self._taken: set[str] = set()

    def add(self, inspection: Inspection, frames: FrameSet) -> Path:
        """Draw a question, and return the sheet's path. Older pictures of the same names are replaced.

        Raises UsageError where the folder cannot be made, OSError where it cannot be written to.
        """
        folder = self._folder / self._name(inspection.question.id)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--png {folder}: the folder cannot be made: {error.strerror or error}") from error
        for index in range(len(frames.frames)):
            _save(frame_page(inspection, frames, index), folder / f"frame-{index:02}.png")
        path = folder / "sheet.png"
        _save(sheet(inspection, frames), path)
        return path

    def _name(self, question: str) -> str:
        """A folder's name that is safe everywhere and resembles the question's id; a number tells equal ones apart."""
        name = re.sub(r"[^\w.-]+", "-", question).strip(".-")[:_LONGEST_NAME] or "question"
        number, tried = 1, name
        while tried.casefold() in self._taken:
            number += 1
            tried = f"{name}-{number}"
        self._taken.add(tried.casefold())
        return tried


def _save(image: Image.Image, path: Path) -> None:
    with atomic_write(path) as file:
        image.save(file, format="PNG")
