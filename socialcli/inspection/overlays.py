"""A page for each utterance: where its words look in each frame, without the alignment and with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from socialcli.alignment.grid import VisualGrid
from socialcli.inspection.drawing import View, colors_of, picture_of
from socialcli.inspection.heat import HeatScale, color_bar
from socialcli.inspection.layout import Line, beside, block, stacked
from socialcli.inspection.lettering import MARGIN, PAPER, TITLE
from socialcli.inspection.maps import AttentionMaps, Map
from socialcli.inspection.marks import Mark, draw_marks, draw_outlines
from socialcli.inspection.report import Inspection
from socialcli.inspection.text import called, counted, frames_named
from socialcli.video.frames import FrameSet

PANEL = 640  # long side of a picture, pixels
HEAT = 0.8  # how much of a cell's colour covers the frame, which is grey below it
SMALL = 17  # font size, pixels
BORDER = 6  # around the frames in F(u), pixels


def attention_page(inspection: Inspection, frames: FrameSet, maps: AttentionMaps) -> Image.Image:
    """Each frame beside the two maps of it, under a title and the scale of the colours.

    ValueError without a grid (inputs L).
    """
    if inspection.grid is None:
        raise ValueError("without video there is nothing to draw")
    page = _Page(inspection, frames, maps, inspection.grid, HeatScale.of(maps.plain, maps.aligned))
    rows = [page.row(index) for index in range(len(frames.frames))]
    width = rows[0].width
    head, notes = (block(list(lines), width) for lines in (page.head(), page.notes()))
    return stacked([head, color_bar(page.scale, width), *rows, notes])


def heat_picture(picture: Image.Image, view: View, grid: VisualGrid, colors: np.ndarray) -> Image.Image:
    """The picture in grey under the `colors` (height, width, 3) of the cells; what no cell shows stays grey."""
    share = picture.width / (view.width * view.scale)
    canvas = np.array(picture.convert("L").convert("RGB"))
    for (row, column), cell in ((place, grid.cells[place]) for place in np.ndindex(*grid.cells.shape[:2])):
        left, top, right, bottom = view.place((cell[0], cell[1], cell[2], cell[3]), share)
        area = canvas[max(0, top) : bottom, max(0, left) : right]
        area[:] = np.round((1 - HEAT) * area + HEAT * colors[row, column]).astype(np.uint8)
    return Image.fromarray(canvas)


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """What the parts of a page have in common."""

    inspection: Inspection
    frames: FrameSet
    maps: AttentionMaps
    grid: VisualGrid
    scale: HeatScale

    def head(self) -> Iterator[Line]:
        """Whose words, under which settings, and what their attention comes to."""
        line, shown = self.maps.line, self.maps.shown
        yield Line(f"{line.id}: {line.text}", size=TITLE)
        spoken = f"{line.label}, {line.start:.2f}-{line.end:.2f} s, F(u): {frames_named(line.frames)}"
        yield Line(f"{self.inspection.question.id}, {self.inspection.model}: {spoken}")
        yield Line(f"Attention: the mean over {counted(len(line.tokens), 'token')} (label and words) and {shown.name}")
        yield Line(f"plain: the model by itself; aligned: {self.maps.alignment}")
        own = self.inspection.pairs[self.inspection.utterances.index(line)]
        for what, cells in (("all cells", self.grid.tokens >= 0), ("the cells aligned to", self._showing(own))):
            sums = [f"{_percent(attention[cells])} {stage}" for stage, attention in self._stages()]
            yield Line(f"Attention to {what}, {int(cells.sum())}: {', '.join(sums)}")

    def row(self, index: int) -> Image.Image:
        """One frame and its two maps, framed in the speaker's colour where the frame is in F(u)."""
        line, frame, view = self.maps.line, self.inspection.frames[index], View.of(self.frames, self.grid)
        inside = index in line.frames
        picture = Image.fromarray(picture_of(self.frames, index, view, self.grid))
        picture = ImageOps.contain(picture, (PANEL, PANEL), Image.Resampling.LANCZOS)
        marks = self._marks(index, view, picture.width / (view.width * view.scale))
        panels = []
        for stage, attention in self._stages():
            heat = heat_picture(picture, view, self.grid, self.scale.colors(attention[frame.step]))
            draw_outlines(heat, marks)
            panels.append(_panel(stage, heat, self._sums(frame.step, attention)))
        draw_marks(picture, marks)
        title = f"frame {index}, {frame.time:.3f} s{', in F(u)' if inside else ''}"
        strip = beside([_panel(title, picture, self._merged(frame.step)), *panels])
        color = colors_of(self.inspection)[line.speaker].rgb if inside and line.speaker is not None else PAPER
        return ImageOps.expand(ImageOps.expand(strip, BORDER, color), MARGIN // 2, PAPER)

    def notes(self) -> Iterator[Line]:
        """What the signs mean."""
        yield Line("Framed rows: the frames F(u), in which the words are aligned to their speaker.")

    def _stages(self) -> tuple[tuple[str, Map], tuple[str, Map]]:
        return ("plain", self.maps.plain), ("aligned", self.maps.aligned)

    def _showing(self, tokens: Sequence[int]) -> np.ndarray:
        return np.isin(self.grid.tokens, tokens)

    def _marks(self, index: int, view: View, share: float) -> list[Mark]:
        colors = colors_of(self.inspection)
        return [
            Mark(view.place(box.box, share), called(self.inspection, box.speaker), colors[box.speaker])
            for box in self.inspection.boxes
            if box.frame == index
        ]

    def _merged(self, step: int) -> str:
        merged = self.grid.frames[step]
        return f"{frames_named(merged)} are one step of the model, with one map" if len(merged) > 1 else ""

    def _sums(self, step: int, attention: Map) -> str:
        """What share of the attention goes to the step, and in it to each speaker's tokens."""
        parts = [f"sum {_percent(attention[step])}"]
        for speaker in self.inspection.labels:
            boxes = [b for b in self.inspection.boxes if b.speaker == speaker and b.frame in self.grid.frames[step]]
            cells = self._showing([token for box in boxes for token in box.tokens])[step]
            if boxes:
                parts.append(f"{called(self.inspection, speaker)} {_percent(attention[step][cells])}")
        return ", ".join(parts)


def _panel(title: str, picture: Image.Image, below: str) -> Image.Image:
    lines = (block([Line(text, size=SMALL)], picture.width, margin=4) for text in (title, below))
    title_lines, lines_below = lines
    return stacked([title_lines, picture, lines_below])


def _percent(attention: Map) -> str:
    return f"{100 * float(attention.sum()):.3g}%"
