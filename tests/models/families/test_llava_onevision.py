"""LLaVA-OneVision: its cells, and the newline behind them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import noise_frames, tiny_model
from tests.models.test_grid import assert_the_grid_is_right

NAME = "llava-onevision"


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (320, 240)])
def test_cells(size: tuple[int, int]) -> None:
    """Patches of 14 pixels: the last 6 of 384 are not seen."""
    model = tiny_model(NAME)
    grid = model.encode_prompt("Who?", [], model.encode_clip(noise_frames(*size, count=3))).grid
    assert grid.tokens.shape == (3, 14, 14)
    assert grid.seen == pytest.approx((0, 0, size[0] * 378 / 384, size[1] * 378 / 384))
    assert grid.frames == ((0,), (1,), (2,))


@pytest.mark.parametrize("size", [(640, 360), (201, 320)])
def test_cells_of_padded_frames(size: tuple[int, int]) -> None:
    cells = tiny_model(NAME, "pad").encode_clip(noise_frames(*size, count=1)).cells
    side = max(size)
    assert cells[0, 0, :2].tolist() == [-((side - size[0]) // 2), -((side - size[1]) // 2)]
    assert (cells[..., 2:] - cells[..., :2]).reshape(-1, 2) == pytest.approx(np.full((196, 2), side * 27 / 384))


def test_the_newline_behind_the_frames_shows_no_cell() -> None:
    model = tiny_model(NAME)
    prompt = model.encode_prompt("Who is it?", [(0, 3)], model.encode_clip(noise_frames(64, 64, count=2)))
    visual = np.flatnonzero(prompt.ids == model.visual_token_id)
    assert visual.size == 2 * 14 * 14 + 1
    assert np.array_equal(prompt.grid.tokens.ravel(), visual[:-1])
    assert prompt.prefix == visual[-1] + 1  # the newline is part of the visual prefix


def test_the_grid_of_padded_frames_by_changed_pixels() -> None:
    assert_the_grid_is_right(tiny_model(NAME, "pad"), noise_frames(320, 200, count=3))
