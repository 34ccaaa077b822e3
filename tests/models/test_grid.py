"""Which token shows which cell: changing the pixels of one cell changes its token most."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from socialcli.api import load_model
from socialcli.video.frames import Frame, FrameSet
from tests.conftest import FAMILIES, SAMPLE, noise_frames, tiny_model

SIZES = [(640, 360), (360, 640), (320, 240), (1280, 720)]
CASES = [(family, None) for family in FAMILIES] + [("llava-next-video", "crop"), ("llava-next-video", "stretch")]
PATCHES = 100


class _Seen(Exception):
    """Stops the forward where the decoder would begin."""


def visual_embeddings(model: Any, frames: FrameSet) -> tuple[Any, torch.Tensor]:
    """The grid, and what the text decoder gets in the place of each of its tokens, (steps, height, width, hidden)."""
    clip = model.encode_clip(frames)
    encoded = model.encode_prompt("Who is it?", [], clip)
    caught: list[torch.Tensor] = []

    def catch(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        caught.append(args[0] if args else kwargs["hidden_states"])
        raise _Seen

    handle = model.decoder_layers[0].register_forward_pre_hook(catch, with_kwargs=True)
    try:
        with torch.inference_mode(), pytest.raises(_Seen):
            model.model(**model.forward_inputs([encoded], clip))
    finally:
        handle.remove()
    return encoded.grid, caught[0][0][torch.from_numpy(encoded.grid.tokens)]


def changed_in(frames: FrameSet, index: int, cell: np.ndarray) -> FrameSet:
    """The frames with the pixels wholly inside `cell` inverted in one of them."""
    x0, y0 = (int(np.ceil(max(edge, 0))) for edge in cell[:2])
    x1, y1 = (int(np.floor(edge)) for edge in cell[2:])
    image = frames.frames[index].image.copy()
    image[y0:y1, x0:x1] = 255 - image[y0:y1, x0:x1]
    changed = list(frames.frames)
    changed[index] = Frame(frames.frames[index].time, image)
    return FrameSet(tuple(changed), frames.distinct)


def whole_cells(grid: Any, frames: FrameSet) -> list[tuple[int, int]]:
    """The cells that lie in the frame (padding around it shows nothing)."""
    inside = (grid.cells[..., :2] >= 0).all(-1)
    inside &= (grid.cells[..., 2] <= frames.width + 1e-6) & (grid.cells[..., 3] <= frames.height + 1e-6)
    return [(int(row), int(column)) for row, column in np.argwhere(inside)]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("family", "fit"), CASES)
def test_changing_a_cell_changes_most_the_token_that_the_grid_names(
    family: str, fit: str | None, size: tuple[int, int]
) -> None:
    assert_the_grid_is_right(tiny_model(family, fit), noise_frames(*size))


@pytest.mark.parametrize(("size", "cap"), [((1920, 1080), None), ((640, 360), 50_000)])
def test_the_grid_follows_frames_that_are_scaled_down_to_the_cap(size: tuple[int, int], cap: int | None) -> None:
    assert_the_grid_is_right(tiny_model("qwen2.5-vl", max_pixels=cap), noise_frames(*size))


def assert_the_grid_is_right(model: Any, frames: FrameSet, patches: int = PATCHES) -> None:
    """Change the pixels of random cells; the token that the grid names must change most, every time."""
    grid, before = visual_embeddings(model, frames)
    rng = np.random.default_rng(1)
    candidates = whole_cells(grid, frames)
    hits = tried = 0
    while tried < patches:
        # Temporal steps do not see each other in any vision tower, so one forward serves a patch in each of them.
        chosen = [candidates[rng.integers(len(candidates))] for _ in grid.frames]
        changed = frames
        for (row, column), members in zip(chosen, grid.frames, strict=True):
            changed = changed_in(changed, int(rng.choice(members)), grid.cells[row, column])
        _, after = visual_embeddings(model, changed)
        moved = (after - before).norm(dim=-1)
        for (row, column), step in zip(chosen, moved, strict=True):
            tried += 1
            hits += int(step.argmax()) == row * step.shape[1] + column
    assert hits == tried


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(("family", "fit"), CASES)
def test_the_grid_covers_every_visual_token_once(family: str, fit: str | None, size: tuple[int, int]) -> None:
    model = tiny_model(family, fit)
    clip = model.encode_clip(noise_frames(*size))
    encoded = model.encode_prompt("Who is it?", [], clip)
    visual = np.flatnonzero(encoded.ids == model.visual_token_id)
    assert sorted(encoded.grid.tokens.flat) == visual.tolist()
    assert sorted(frame for step in encoded.grid.frames for frame in step) == list(range(8))


@pytest.mark.parametrize(("family", "shape"), list(zip(FAMILIES, [(8, 12, 12), (4, 13, 23), (8, 16, 16)], strict=True)))
def test_published_preprocessing_gives_the_published_number_of_tokens(family: str, shape: tuple[int, ...]) -> None:
    model = tiny_model(family)
    clip = model.encode_clip(noise_frames(640, 360))
    assert model.encode_prompt("Who?", [], clip).grid.tokens.shape == shape


@pytest.mark.parametrize(
    ("size", "cap", "shape"),
    [
        ((640, 360), None, (13, 23)),  # 644x364, the nearest multiples of 28
        ((1920, 1080), None, (20, 36)),  # 1008x560: the most of this shape within 768 x 28 x 28
        ((1080, 1920), None, (36, 20)),
        ((1920, 1080), 4_000_000, (39, 69)),
        ((640, 360), 28 * 28 * 100, (7, 13)),
        ((640, 360), 28 * 28, (1, 1)),
    ],
)
def test_a_frame_has_no_more_pixels_than_the_cap(
    size: tuple[int, int], cap: int | None, shape: tuple[int, int]
) -> None:
    clip = tiny_model("qwen2.5-vl", max_pixels=cap).encode_clip(noise_frames(*size, count=2))
    assert clip.cells.shape[:2] == shape
    assert shape[0] * shape[1] * 28 * 28 <= (cap or 768 * 28 * 28)


def test_a_checkpoint_that_was_trained_on_smaller_frames_keeps_its_own_cap() -> None:
    folder = SAMPLE / "trained" / "qwen2.5-vl"
    own = load_model("qwen2.5-vl", folder)
    assert own.encode_clip(noise_frames(224, 224)).cells.shape[:2] == (4, 4)  # 112x112
    assert own.choices.max_pixels == 112 * 112
    larger = load_model("qwen2.5-vl", folder, max_pixels=224 * 224)
    assert larger.encode_clip(noise_frames(224, 224)).cells.shape[:2] == (8, 8)


def test_an_odd_last_frame_is_a_step_of_its_own() -> None:
    model = tiny_model("qwen2.5-vl")
    clip = model.encode_clip(noise_frames(640, 360, count=5))
    assert clip.frames == ((0, 1), (2, 3), (4,))


def test_cropped_frames_leave_out_the_sides() -> None:
    crop, pad = tiny_model("llava-next-video", "crop"), tiny_model("llava-next-video", "pad")
    left, _, right, _ = _seen(crop)
    assert (round(left), round(right)) == (139, 500)
    left, _, right, _ = _seen(pad)
    assert (left, right) == pytest.approx((0, 640))


def _seen(model: Any) -> tuple[float, float, float, float]:
    clip = model.encode_clip(noise_frames(640, 360))
    seen: tuple[float, float, float, float] = model.encode_prompt("Who?", [], clip).grid.seen
    return seen
