"""Write inspections as PNG files: per question a folder with frame pages, a contact sheet and attention pages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from socialcli.errors import UsageError
from socialcli.files import atomic_write
from socialcli.verbs.inspect.maps import AttentionMaps
from socialcli.verbs.inspect.pictures.overlays import attention_page
from socialcli.verbs.inspect.pictures.pages import frame_page, sheet
from socialcli.verbs.inspect.report import Inspection
from socialcli.video.frames import FrameSet
from socialcli.words.scripts import extends, is_letter

_LONGEST_NAME = 100  # characters
_MOST_BYTES = 200  # of a name; file systems allow 255, and a prefix and suffix are added


class Album:
    """A folder of pictures: `NAME/sheet.png`, `NAME/frame-00.png` ... and `NAME/attention-ID.png` for each question,
    or each episode without questions."""

    def __init__(self, folder: Path) -> None:
        """Write pictures under `folder`, which is created with the first one."""
        self._folder = folder
        self._taken: set[str] = set()

    def add(self, inspection: Inspection, frames: FrameSet, attention: Sequence[AttentionMaps] = ()) -> list[Path]:
        """Draw a question and return the paths of its sheet and its attention pages.

        Existing pictures of the same names are replaced. Raises UsageError if the folder cannot be created, OSError if
        it cannot be written to.
        """
        folder = self._folder / _safe_name(inspection.name, "question", self._taken)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--png {folder}: cannot create the folder: {error.strerror or error}") from error
        for index in range(len(frames.frames)):
            _save(frame_page(inspection, frames, index), folder / f"frame-{index:02}.png")
        paths = [folder / "sheet.png"]
        _save(sheet(inspection, frames), paths[0])
        taken: set[str] = set()
        for maps in attention:
            paths.append(folder / f"attention-{_safe_name(maps.line.id, 'utterance', taken)}.png")
            _save(attention_page(inspection, frames, maps), paths[-1])
        return paths


def _safe_name(text: str, otherwise: str, taken: set[str]) -> str:
    """A portable file name that resembles an id; a number distinguishes it from those `taken`."""
    kept = "".join(character if _is_safe(character) else "/" for character in unicodedata.normalize("NFC", text))
    name = re.sub(r"/+", "-", kept).strip(".-")[:_LONGEST_NAME]
    while len(name.encode()) > _MOST_BYTES:
        name = name[:-1]
    name = name or otherwise
    number, tried = 1, name
    while tried.casefold() in taken:
        number += 1
        tried = f"{name}-{number}"
    taken.add(tried.casefold())
    return tried


def _is_safe(character: str) -> bool:
    return is_letter(character) or extends(character) or character in "._-"


def _save(image: Image.Image, path: Path) -> None:
    with atomic_write(path) as file:
        image.save(file, format="PNG")
