"""Which cells a box covers."""

from __future__ import annotations

import numpy as np
import pytest

from socialcli.alignment.grid import Cells, VisualGrid, affine_cells, covered
from socialcli.episodes.records import Box

CELLS = affine_cells(3, 4, (0.0, 0.0), (10.0, 20.0))  # a frame of 40 x 60 pixels


def cells_of(x0: float, y0: float, x1: float, y1: float, cells: Cells = CELLS) -> set[tuple[int, int]]:
    """The (row, column) of the covered cells."""
    return {(int(row), int(column)) for row, column in np.argwhere(covered(Box("s", 0, x0, y0, x1, y1), cells))}


def test_cells_are_laid_out_in_rows_from_the_top_left() -> None:
    cells = affine_cells(2, 3, (-4.0, 6.0), (8.0, 5.0))
    assert cells.shape == (2, 3, 4)
    assert cells[0].tolist() == [[-4, 6, 4, 11], [4, 6, 12, 11], [12, 6, 20, 11]]
    assert cells[1, 0].tolist() == [-4, 11, 4, 16]


def test_whole_cells_are_covered() -> None:
    assert cells_of(10, 20, 30, 40) == {(1, 1), (1, 2)}
    assert cells_of(0, 0, 40, 60) == {(row, column) for row in range(3) for column in range(4)}


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        (24.9, {(0, 1)}),
        (25.0, {(0, 1), (0, 2)}),  # half of a cell is enough
        (25.1, {(0, 1), (0, 2)}),
    ],
)
def test_half_of_a_cell_covers_it_and_less_does_not(right: float, expected: set[tuple[int, int]]) -> None:
    assert cells_of(10, 0, right, 20) == expected


@pytest.mark.parametrize(("size", "shape"), [((640, 360), (13, 23)), ((1280, 720), (26, 46)), ((333, 217), (7, 11))])
def test_half_is_half_whatever_the_rounding(size: tuple[int, int], shape: tuple[int, int]) -> None:
    height, width = shape
    cells = affine_cells(height, width, (0.0, 0.0), (size[0] / width, size[1] / height))
    for row, column in np.ndindex(height, width):
        # The left half of this cell, and the whole of the one before it, so that the centre does not decide.
        right, bottom = (column + 0.5) * size[0] / width, (row + 1) * size[1] / height
        covered_cells = cells_of((column - 1) * size[0] / width, row * size[1] / height, right, bottom, cells)
        assert (row, column) in covered_cells


def test_it_is_the_area_that_counts() -> None:
    assert cells_of(3, 6, 10, 20) == {(0, 0)}  # 0.7 of its width and 0.7 of its height: 0.49; but it holds the centre
    assert cells_of(3, 6, 20, 20) == {(0, 1)}  # now the cell beside it has 0.7 of its area, and the first one is out
    assert cells_of(2, 6, 20, 20) == {(0, 0), (0, 1)}  # 0.8 * 0.7 = 0.56


def test_a_small_box_covers_the_one_cell_that_holds_its_centre() -> None:
    assert cells_of(12, 22, 14, 24) == {(1, 1)}
    assert cells_of(18, 25, 23, 30) == {(1, 2)}  # its centre is at x = 20.5
    assert cells_of(16, 25, 21, 30) == {(1, 1)}  # at x = 18.5


def test_a_centre_on_a_border_belongs_to_the_first_cell() -> None:
    assert cells_of(19, 25, 21, 30) == {(1, 1)}
    assert cells_of(19, 39, 21, 41) == {(1, 1)}
    assert cells_of(39, 59, 41, 61) == {(2, 3)}  # the last cell's own corner


@pytest.mark.parametrize("box", [(15, 30, 15, 30), (15, 22, 15, 38), (11, 30, 19, 30)])
def test_a_box_without_area_covers_the_cell_it_lies_in(box: tuple[float, float, float, float]) -> None:
    assert cells_of(*box) == {(1, 1)}


@pytest.mark.parametrize("box", [(50, 20, 60, 40), (-30, 0, -10, 20), (0, 70, 10, 90), (36, 0, 60, 20), (41, 0, 41, 0)])
def test_a_box_whose_centre_is_outside_covers_nothing_with_less_than_half_a_cell(
    box: tuple[float, float, float, float],
) -> None:
    assert cells_of(*box) == set()


def test_a_box_that_reaches_outside_covers_what_it_covers_inside() -> None:
    assert cells_of(-100, -100, 5, 10) == set()  # a quarter of the first cell, and its centre is far away
    assert cells_of(-100, -100, 10, 10) == {(0, 0)}
    assert cells_of(34, 40, 400, 600) == {(2, 3)}


def test_padding_around_the_frame_counts_as_part_of_its_cell() -> None:
    cells = affine_cells(2, 1, (0.0, -12.0), (20.0, 20.0))  # a frame of 20 x 16, padded by 12 above and below
    assert cells_of(0, 0, 20, 8, cells) == {(0, 0)}  # all that is picture in it: 0.4 of the cell, by its centre
    assert cells_of(0, 0, 20, 16, cells) == {(0, 0)}  # 0.4 of each; the centre is on the border


def test_a_grid_knows_what_it_sees_and_which_step_shows_a_frame() -> None:
    tokens = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    grid = VisualGrid(tokens, affine_cells(3, 4, (-5.0, 2.0), (10.0, 20.0)), ((0, 1), (2,)))
    assert grid.seen == (-5.0, 2.0, 35.0, 62.0)
    assert grid.step_of_frame == {0: 0, 1: 0, 2: 1}
