"""Qwen2-VL: its cells, and the numbering of its tokens by step."""

from __future__ import annotations

import pytest
import torch

from tests.conftest import noise_frames, tiny_model

NAME = "qwen2-vl"


@pytest.mark.parametrize(
    ("size", "count", "shape"),
    [((640, 360), 8, (4, 13, 23)), ((360, 640), 5, (3, 23, 13)), ((320, 240), 1, (1, 9, 11))],
)
def test_cells(size: tuple[int, int], count: int, shape: tuple[int, int, int]) -> None:
    model = tiny_model(NAME)
    grid = model.encode_prompt("Who?", [], model.encode_clip(noise_frames(*size, count=count))).grid
    assert grid.tokens.shape == shape
    assert grid.seen == pytest.approx((0, 0, *size))
    assert [frame for step in grid.frames for frame in step] == list(range(count))


@pytest.mark.parametrize(("size", "count"), [((112, 84), 5), ((64, 200), 4), ((60, 60), 20)])
def test_tokens_are_numbered_by_step_row_and_column(size: tuple[int, int], count: int) -> None:
    """As by the authors: text begins behind the video's largest position, the steps' included."""
    model = tiny_model(NAME)
    clip = model.encode_clip(noise_frames(*size, count=count))
    prompt = model.encode_prompt("Who is it?", [], clip)
    steps, rows, columns = prompt.grid.tokens.shape
    start, end = int(prompt.grid.tokens[0, 0, 0]), prompt.prefix
    video = [(t, r, c) for t in range(steps) for r in range(rows) for c in range(columns)]
    expected = [(index,) * 3 for index in range(start)]
    expected += [(start + t, start + r, start + c) for t, r, c in video]
    behind = start + max(steps, rows, columns)
    expected += [(behind + index,) * 3 for index in range(prompt.length - end)]
    positions = model.positions(prompt, clip)
    assert torch.equal(positions[:, 0].T, torch.tensor(expected))
    ids = torch.from_numpy(prompt.ids).unsqueeze(0)
    types = (ids == model.visual_token_id).to(torch.int32) * 2
    library, _ = model.model.model.get_rope_index(ids, types, video_grid_thw=clip.inputs["video_grid_thw"])
    assert torch.equal(positions, library) == (steps <= max(rows, columns))  # transformers 5 leaves the steps out
