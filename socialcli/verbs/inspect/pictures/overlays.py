"""Draw a page for each utterance: its words' attention in each frame, without and with the alignment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from socialcli.alignment.grid import VisualGrid
from socialcli.verbs.inspect.maps import AttentionMaps, Map
from socialcli.verbs.inspect.pictures.drawing import View, colors_of, picture_of
from socialcli.verbs.inspect.pictures.heat import MIDDLE, HeatScale, Pixels, color_bar, veiled
from socialcli.verbs.inspect.pictures.layout import Line, beside, block, stacked
from socialcli.verbs.inspect.pictures.marks import Mark, draw_marks, draw_outlines
from socialcli.verbs.inspect.report import Inspection
from socialcli.verbs.inspect.text import called, counted, frames_named
from socialcli.video.frames import FrameSet
from socialcli.video.lettering import MARGIN, PAPER, TITLE

PANEL = 640  # long side of a picture, pixels
BLUR = 8  # pixels: of larger areas only the edges remain
SMALL = 17  # font size, pixels
BORDER = 6  # around the frames in F(u), pixels


def attention_page(inspection: Inspection, frames: FrameSet, maps: AttentionMaps) -> Image.Image:
    """Each frame beside its two maps, under a title and the colour scale.

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
    """The outlines of the picture under the cells' `colors` (height, width, 3); grey outside the cells."""
    share = picture.width / (view.width * view.scale)
    canvas = np.repeat(_outlines(picture)[..., np.newaxis], 3, axis=-1)
    for row, column in np.ndindex(*grid.cells.shape[:2]):
        x0, y0, x1, y1 = grid.cells[row, column].tolist()
        left, top, right, bottom = view.place((x0, y0, x1, y1), share)
        canvas[top:bottom, left:right] = veiled(colors[row, column], canvas[top:bottom, left:right])
    return Image.fromarray(canvas)


def _outlines(picture: Image.Image) -> Pixels:
    """The picture in grey without light and dark areas, which could be mistaken for more or less attention."""
    grey = picture.convert("L")
    light = np.array(grey, dtype=float) - np.array(grey.filter(ImageFilter.GaussianBlur(BLUR)))
    outlines: Pixels = np.clip(MIDDLE + light, 0, 255).astype(np.uint8)
    return outlines


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    """The data that all parts of a page share."""

    inspection: Inspection
    frames: FrameSet
    maps: AttentionMaps
    grid: VisualGrid
    scale: HeatScale

    def head(self) -> Iterator[Line]:
        """The utterance, the settings, and the shares of attention."""
        line, shown = self.maps.line, self.maps.shown
        yield Line(f"{line.id}: {line.text}", size=TITLE)
        spoken = f"{line.label}, {line.start:.2f}-{line.end:.2f} s, F(u): {frames_named(line.frames)}"
        yield Line(f"{self.inspection.name}, {self.inspection.model}: {spoken}")
        yield Line(f"Attention: the mean over {counted(len(line.tokens), 'token')} (label and words) and {shown.name}")
        yield Line(f"plain: the model by itself; aligned: {self.maps.alignment}")
        own = self.inspection.pairs[self.inspection.utterances.index(line)]
        every = self.grid.shown.tolist()
        for what, tokens in ((f"all {len(every)} cells", every), (f"the {len(own)} cells aligned to", own)):
            sums = [f"{stage} {_percent(attention[self._showing(tokens)])}" for stage, attention in self._stages()]
            yield Line(f"Share of the attention that {what} get: {', '.join(sums)}")

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
        """The explanation of the signs."""
        yield Line("Framed rows: the frames F(u), in which the words are aligned to their speaker.")
        yield Line("Below the maps: the share of the attention that all cells of the step get, and each speaker's.")

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
        """The share of attention to the step, and within it to each speaker's tokens."""
        parts = [f"all: {_percent(attention[step])}"]
        for speaker in self.inspection.labels:
            boxes = [b for b in self.inspection.boxes if b.speaker == speaker and b.frame in self.grid.frames[step]]
            cells = self._showing([token for box in boxes for token in box.tokens])[step]
            if boxes:
                parts.append(f"{called(self.inspection, speaker)}: {_percent(attention[step][cells])}")
        return ", ".join(parts)


def _panel(title: str, picture: Image.Image, below: str) -> Image.Image:
    above, under = (block([Line(text, size=SMALL)], picture.width, margin=4) for text in (title, below))
    return stacked([above, picture, under])


def _percent(attention: Map) -> str:
    return f"{100 * float(attention.sum()):.3g}%"
