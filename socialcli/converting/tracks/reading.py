"""Recognize a file of tracks by its content, and read it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from socialcli.converting.report import Report, SourceError
from socialcli.converting.sources import read_json
from socialcli.converting.tracks.coco import is_coco, read_coco
from socialcli.converting.tracks.cvat import read_cvat
from socialcli.converting.tracks.label_studio import is_label_studio, read_label_studio
from socialcli.converting.tracks.records import Footage, Track
from socialcli.errors import UsageError
from socialcli.files import read_bytes

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_ARCHIVE = b"PK\x03\x04"
_BEGINNING = 256  # bytes that show the kind of a file


def read_tracks(path: Path, footage: Footage, report: Report) -> Sequence[Track] | None:
    """The tracks of an XML or JSON file of an annotation tool; None if the file is of another kind, such as CSV.

    What cannot be read goes to `report`. Raises NotFoundError, UsageError if a unit is given that the format does not
    leave open, and SourceError if no reader knows the XML or JSON.
    """
    content = read_bytes(path)
    if content.startswith(_ARCHIVE):
        raise SourceError(path, None, None, "is an archive; unpack it, and name the file of annotations in it")
    begins = _first_letter(content)
    if begins == b"<":
        _check_unit(path, footage)
        return read_cvat(path, content, footage, report)
    if begins not in (b"{", b"["):
        return None
    value = read_json(path)
    if is_coco(value):
        return read_coco(path, value, footage, report)
    if is_label_studio(value):
        _check_unit(path, footage)
        return read_label_studio(path, value, footage, report)
    message = (
        "is JSON, but neither an export of Label Studio (tasks with annotations) nor a COCO file of a video (images, "
        "annotations); export one of these, or boxes as CSV"
    )
    raise SourceError(path, None, None, message)


def _check_unit(path: Path, footage: Footage) -> None:
    if footage.shares:
        raise UsageError(f"{path}: is in a format that defines the unit of boxes; omit --box-unit shares")


def _first_letter(content: bytes) -> bytes:
    """The first byte of a text that is no blank or part of a byte order mark."""
    start = content[:_BEGINNING]
    for mark in _BOMS:
        start = start.removeprefix(mark)
    return start.replace(b"\0", b"").lstrip()[:1]
