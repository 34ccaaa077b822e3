"""Draw a frame as the alignment sees it: grid, speakers' boxes, and the cells of regions in the speakers' colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from socialcli.alignment.grid import VisualGrid
from socialcli.verbs.inspect.pictures.marks import Mark, draw_marks
from socialcli.verbs.inspect.report import Inspection, Rectangle
from socialcli.verbs.inspect.steered import Tokens
from socialcli.verbs.inspect.text import called
from socialcli.video.frames import FrameSet
from socialcli.video.overlay import Color, speaker_colors

Pixels = npt.NDArray[np.uint8]

LONG_SIDE = 1280  # pixels; small frames are enlarged to about this by whole factors, so that labels are legible
PADDING = (150, 150, 150)
OWN, MERGED = 0.5, 0.2  # opacity of the speaker's colour in a cell: for this frame's box, for a merged frame's
STRIPE = 20  # approximate width in pixels of the stripes in a cell of several speakers
DIMMED = 0.3  # brightness of what the model does not see
LINE = (255, 255, 255, 90), (0, 0, 0, 90)  # a light line beside a dark one is visible on any picture


@dataclass(frozen=True, slots=True)
class View:
    """The position of the frame on the canvas, which also holds the padding that the model sees around it."""

    left: int  # of the canvas, in pixels of the frame: negative if there is padding
    top: int
    width: int  # of the canvas, in pixels of the frame
    height: int
    scale: int

    @classmethod
    def of(cls, frames: FrameSet, grid: VisualGrid) -> View:
        """The view that contains the whole frame and all cells."""
        x0, y0, x1, y1 = grid.seen
        left, top = min(0, floor(x0 + 1e-6)), min(0, floor(y0 + 1e-6))
        right, bottom = max(frames.width, ceil(x1 - 1e-6)), max(frames.height, ceil(y1 - 1e-6))
        scale = max(1, round(LONG_SIDE / max(frames.width, frames.height)))
        return cls(left, top, right - left, bottom - top, scale)

    def place(self, rectangle: Rectangle, share: float = 1.0) -> tuple[int, int, int, int]:
        """A rectangle of the frame in whole pixels of the canvas, reduced to a share of its size."""
        scale = self.scale * share
        x0, y0, x1, y1 = rectangle
        return (
            round((x0 - self.left) * scale),
            round((y0 - self.top) * scale),
            round((x1 - self.left) * scale),
            round((y1 - self.top) * scale),
        )


def colors_of(inspection: Inspection) -> dict[str, Color]:
    """Each speaker's colour: those of `--boxes-as overlay`, then more for speakers without boxes."""
    annotated = {box.speaker for box in inspection.episode.boxes}
    order = sorted(inspection.labels, key=lambda speaker: speaker not in annotated)  # a stable sort
    return speaker_colors({speaker: speaker for speaker in order})


def draw_frame(inspection: Inspection, frames: FrameSet, index: int, long_side: int | None = None) -> Image.Image:
    """Draw sampled frame `index` with everything on it; with `long_side` (pixels), reduced to that.

    ValueError without a grid (inputs L).
    """
    grid = inspection.grid
    if grid is None:
        raise ValueError("without video there is nothing to draw")
    view, colors = View.of(frames, grid), colors_of(inspection)
    canvas = picture_of(frames, index, view, grid)
    _shade(canvas, view, grid, _owners(inspection, grid, index), colors)
    image = _ruled(canvas, view, grid)
    share = long_side / max(image.size) if long_side else 1.0
    if share < 1:
        image = image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)
    marks = [
        Mark(view.place(box.box, share), called(inspection, box.speaker), colors[box.speaker])
        for box in inspection.boxes
        if box.frame == index
    ]
    draw_marks(image, marks)
    return image


def picture_of(frames: FrameSet, index: int, view: View, grid: VisualGrid) -> Pixels:
    """Sampled frame `index` with its padding, (height, width, 3), dimmed where the model does not see."""
    canvas = np.empty((view.height * view.scale, view.width * view.scale, 3), dtype=np.uint8)
    canvas[:] = PADDING
    x0, y0, x1, y1 = view.place((0, 0, frames.width, frames.height))
    canvas[y0:y1, x0:x1] = frames.frames[index].image.repeat(view.scale, axis=0).repeat(view.scale, axis=1)
    _dim_unseen(canvas, view, grid)
    return canvas


def _dim_unseen(canvas: Pixels, view: View, grid: VisualGrid) -> None:
    x0, y0, x1, y1 = view.place(grid.seen)
    unseen = np.ones(canvas.shape[:2], dtype=np.bool_)
    unseen[y0:y1, x0:x1] = False
    canvas[unseen] = np.round(canvas[unseen] * DIMMED).astype(np.uint8)


def _owners(inspection: Inspection, grid: VisualGrid, index: int) -> dict[tuple[int, int], dict[str, float]]:
    """For each cell (row, column) in a region, its speakers with the opacity of their colours."""
    step = grid.step_of_frame[index]
    owners: dict[tuple[int, int], dict[str, float]] = {}
    for speaker, tokens, strength in _tinted(inspection, grid, index):
        for row, column in np.argwhere(np.isin(grid.tokens[step], tokens)).tolist():
            cell = owners.setdefault((row, column), {})
            cell[speaker] = max(strength, cell.get(speaker, 0.0))
    return owners


def _tinted(inspection: Inspection, grid: VisualGrid, index: int) -> Iterator[tuple[str, Tokens, float]]:
    """Whose colour which tokens get in frame `index`, and its opacity: in their regions."""
    step, source = grid.step_of_frame[index], inspection.steering.regions.source
    if source == "model":
        yield from ((one.speaker, one.tokens, OWN) for one in inspection.regions if one.step == step)
    elif source != "none":
        for box in inspection.boxes:
            if box.frame in grid.frames[step]:
                yield box.speaker, box.tokens, OWN if box.frame == index else MERGED


def _shade(
    canvas: Pixels,
    view: View,
    grid: VisualGrid,
    owners: Mapping[tuple[int, int], Mapping[str, float]],
    colors: Mapping[str, Color],
) -> None:
    """Give each covered cell its speaker's colour; a cell of several speakers gets stripes."""
    for (row, column), speakers in owners.items():
        left, top, right, bottom = grid.cells[row, column].tolist()
        x0, y0, x1, y1 = view.place((left, top, right, bottom))
        turns = 1 if len(speakers) == 1 else max(2, round((x1 - x0) / (STRIPE * len(speakers))))
        stripes = [*speakers.items()] * turns
        edges = np.linspace(x0, x1, len(stripes) + 1).round().astype(int).tolist()
        for (speaker, strength), start, end in zip(stripes, edges[:-1], edges[1:], strict=True):
            area = canvas[y0:y1, start:end]
            area[:] = np.round(area * (1 - strength) + np.array(colors[speaker].rgb) * strength).astype(np.uint8)


def _ruled(canvas: Pixels, view: View, grid: VisualGrid) -> Image.Image:
    """The canvas with the outlines of all cells."""
    lines = Image.new("RGBA", (canvas.shape[1], canvas.shape[0]))
    pen = ImageDraw.Draw(lines)
    light, dark = LINE
    places = [view.place((x0, y0, x1, y1)) for x0, y0, x1, y1 in grid.cells.reshape(-1, 4).tolist()]
    for x0, y0, x1, y1 in places:
        pen.rectangle((x0 + 1, y0 + 1, x1, y1), outline=dark)
    for x0, y0, x1, y1 in places:
        pen.rectangle((x0, y0, x1 - 1, y1 - 1), outline=light)
    return Image.alpha_composite(Image.fromarray(canvas).convert("RGBA"), lines).convert("RGB")
