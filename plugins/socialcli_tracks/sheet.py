"""A contact sheet of tracks: for each, crops of the video over time, so that one sees who is track 3 and who is 8."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from socialcli.files import atomic_write
from socialcli.video.lettering import BODY, INK, MARGIN, PAPER, TITLE, font_for, legible, shortened, width_of
from socialcli.video.overlay import COLORS
from socialcli.video.sampling import sample_frames

from .boxes import TrackedBox
from .recording import Recording

MOST_TRACKS = 50  # rows of a sheet: those with the most boxes
CROPS = 6  # of a track
_SIDE = 150  # of a crop, pixels
_LABEL = 240  # width of the column of labels, pixels
_BEFORE_END = 1e-3  # seconds: at its end, a video shows nothing any more
_AROUND = 0.15  # of the box's size, shown beyond each edge


def write_sheet(path: Path, recording: Recording) -> int:
    """Write the sheet of a recording's tracks as a PNG file; return the number of tracks that did not fit.

    Tracks with the most boxes come first, and their crops are spread over their boxes. Raises VideoError, and OSError
    if the file cannot be written.
    """
    by_label: dict[str, list[TrackedBox]] = {}
    for box in recording.tracks:
        by_label.setdefault(box.label, []).append(box)
    rows = sorted(by_label.items(), key=lambda one: (-len(one[1]), one[0]))
    shown = rows[:MOST_TRACKS]
    width = _LABEL + CROPS * (_SIDE + MARGIN) + MARGIN
    page = Image.new("RGB", (width, TITLE + 2 * MARGIN + len(shown) * (_SIDE + BODY + 2 * MARGIN)), PAPER)
    _write(
        page, (MARGIN, MARGIN), f"{recording.video.name}: {len(shown)} of {len(rows)} tracks", TITLE, width - 2 * MARGIN
    )
    for place, (label, boxes) in enumerate(shown):
        _draw_row(page, TITLE + 2 * MARGIN + place * (_SIDE + BODY + 2 * MARGIN), recording, label, boxes)
    with atomic_write(path) as file:
        page.save(file, format="PNG")
    return len(rows) - len(shown)


def _draw_row(page: Image.Image, top: int, recording: Recording, label: str, boxes: Sequence[TrackedBox]) -> None:
    boxes = sorted(boxes, key=lambda box: box.time)
    _write(page, (MARGIN, top), label, 2 * TITLE, _LABEL - 2 * MARGIN)
    times = f"{boxes[0].time:.1f} to {boxes[-1].time:.1f} s"
    _write(page, (MARGIN, top + 3 * TITLE), times, BODY, _LABEL - MARGIN)
    _write(page, (MARGIN, top + 3 * TITLE + 2 * MARGIN), f"{len(boxes):,} boxes", BODY, _LABEL - MARGIN)
    for place, box in enumerate(_spread(boxes)):
        left = _LABEL + place * (_SIDE + MARGIN)
        crop = _crop(recording, box)
        if crop is not None:
            page.paste(crop, (left + (_SIDE - crop.width) // 2, top + (_SIDE - crop.height) // 2))
        _write(page, (left, top + _SIDE + MARGIN // 4), f"{box.time:.1f} s", BODY, _SIDE)


def _spread(boxes: Sequence[TrackedBox]) -> Iterator[TrackedBox]:
    """At most `CROPS` of the boxes, from the first to the last."""
    count = min(CROPS, len(boxes))
    for place in range(count):
        yield boxes[round(place * (len(boxes) - 1) / max(1, count - 1))]


def _crop(recording: Recording, box: TrackedBox) -> Image.Image | None:
    """The box and some space around it, scaled to fit; None if it lies outside the picture. Raises VideoError."""
    time = max(0.0, min(box.time, (recording.media.length or 0.0) - _BEFORE_END))
    frame = sample_frames(recording.video, 1, time, time).frames[0]
    image = Image.fromarray(frame.image)
    x0, y0, x1, y1 = box.edges
    line = max(1, round((y1 - y0) / 100))
    ImageDraw.Draw(image).rectangle((x0, y0, max(x0, x1), max(y0, y1)), outline=COLORS[0].rgb, width=line)
    across, down = _AROUND * (x1 - x0), _AROUND * (y1 - y0)
    left, top = max(0, round(x0 - across)), max(0, round(y0 - down))
    right, bottom = min(image.width, round(x1 + across)), min(image.height, round(y1 + down))
    if left >= right or top >= bottom:
        return None
    crop = image.crop((left, top, right, bottom))
    scale = min(_SIDE / crop.width, _SIDE / crop.height)
    return crop.resize((max(1, round(crop.width * scale)), max(1, round(crop.height * scale))))


def _write(page: Image.Image, place: tuple[int, int], text: str, size: int, width: int) -> None:
    """Write a text within a width: as large as it fits from `size` down to `BODY`, and then shortened."""
    font = font_for(text, size)
    while size > BODY and width_of(legible(text, font), font) > width:
        size -= 1
        font = font_for(text, size)
    ImageDraw.Draw(page).text(place, shortened(legible(text, font), font, width), fill=INK, font=font)
