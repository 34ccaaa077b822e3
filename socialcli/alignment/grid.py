"""The visual grid: which token of the model's sequence shows which part of which frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socialcli.episodes.records import Box

Cells = npt.NDArray[np.float64]  # (height, width, 4): x0, y0, x1, y1 of each cell in pixels of the original frame
TOLERANCE = 1e-9  # of a cell's area: a box over exactly half of a cell covers it despite rounding


@dataclass(frozen=True, slots=True, eq=False)
class VisualGrid:
    """The visual tokens of one prompt, as `steps` temporal steps of `height` x `width` cells.

    `tokens[t, row, column]` is the index of a cell's token in the model's input sequence, without padding; -1 where no
    token shows the cell. With `cross_attention` it is its index among the keys of the cross-attention layers instead.
    `cells[row, column]` is the cell's rectangle in pixels of the original frame; where frames are
    padded to another shape it reaches beyond the frame. `frames[t]` are the indices of the sampled frames that step t
    merges (one, unless the model merges frames in time).
    """

    tokens: npt.NDArray[np.int64]  # (steps, height, width)
    cells: Cells
    frames: tuple[tuple[int, ...], ...]  # (steps)
    cross_attention: bool = False

    @property
    def shown(self) -> npt.NDArray[np.int64]:
        """The tokens that show a cell, ascending, (n,)."""
        return np.sort(self.tokens[self.tokens >= 0])

    @property
    def cross_keys(self) -> int:
        """The number of keys of cross-attention, up to the last one that shows a cell; 0 without any."""
        return int(self.tokens.max()) + 1 if self.cross_attention else 0

    @property
    def step_of_frame(self) -> dict[int, int]:
        """The temporal step that shows each sampled frame."""
        return {frame: step for step, frames in enumerate(self.frames) for frame in frames}

    @property
    def seen(self) -> tuple[float, float, float, float]:
        """The rectangle (x0, y0, x1, y1) that all cells together cover, in pixels of the original frame."""
        x0, y0 = self.cells[..., :2].min(axis=(0, 1))
        x1, y1 = self.cells[..., 2:].max(axis=(0, 1))
        return float(x0), float(y0), float(x1), float(y1)


def affine_cells(height: int, width: int, origin: tuple[float, float], cell: tuple[float, float]) -> Cells:
    """The cells of an even grid: `origin` is its top left corner (x, y), `cell` one cell's (width, height), pixels."""
    lefts = origin[0] + cell[0] * np.arange(width, dtype=np.float64)
    tops = origin[1] + cell[1] * np.arange(height, dtype=np.float64)
    x0, y0 = np.meshgrid(lefts, tops)
    return np.stack([x0, y0, x0 + cell[0], y0 + cell[1]], axis=-1)


def covered(box: Box, cells: Cells) -> npt.NDArray[np.bool_]:
    """Which cells a box covers, (height, width) bool.

    A cell is covered when at least half of its area lies in the box. If no cell is, the one that holds the box's centre
    counts as covered; if the centre lies outside all cells, none does.
    """
    overlap_x = np.minimum(cells[..., 2], box.x1) - np.maximum(cells[..., 0], box.x0)
    overlap_y = np.minimum(cells[..., 3], box.y1) - np.maximum(cells[..., 1], box.y0)
    shared = np.clip(overlap_x, 0, None) * np.clip(overlap_y, 0, None)
    area = (cells[..., 2] - cells[..., 0]) * (cells[..., 3] - cells[..., 1])
    halves = shared >= (0.5 - TOLERANCE) * area
    return halves if halves.any() else _holding_centre(box, cells)


def _holding_centre(box: Box, cells: Cells) -> npt.NDArray[np.bool_]:
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    holds = (cells[..., 0] <= x) & (x <= cells[..., 2]) & (cells[..., 1] <= y) & (y <= cells[..., 3])
    only = np.zeros_like(holds)
    if holds.any():
        only.flat[int(holds.argmax())] = True  # a centre on a border between cells: the first
    return only
