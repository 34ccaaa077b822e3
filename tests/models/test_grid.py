"""Which token shows which cell: changing the pixels of one cell changes its token most."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from socialcli.api import load_model
from socialcli.conformance.grid import probe_clip
from socialcli.video.frames import FrameSet
from tests.conftest import FAMILIES, SAMPLE, noise_frames, tiny_model

SIZES = [(640, 360), (360, 640), (320, 240), (1280, 720)]
CASES = [(family, None) for family in FAMILIES] + [("llava-next-video", "crop"), ("llava-next-video", "stretch")]


@pytest.mark.parametrize(
    ("family", "fit", "size"),
    [
        *((family, None, (1280, 720)) for family in FAMILIES),  # the conformance suite probes smaller ones
        *(("llava-next-video", fit, size) for fit in ("crop", "stretch") for size in ((640, 360), (360, 640))),
    ],
)
def test_changing_a_cell_changes_most_the_token_that_the_grid_names(
    family: str, fit: str | None, size: tuple[int, int]
) -> None:
    assert_the_grid_is_right(tiny_model(family, fit), noise_frames(*size))


@pytest.mark.parametrize(("size", "cap"), [((1920, 1080), None), ((640, 360), 50_000)])
def test_the_grid_follows_frames_that_are_scaled_down_to_the_cap(size: tuple[int, int], cap: int | None) -> None:
    assert_the_grid_is_right(tiny_model("qwen2.5-vl", max_pixels=cap), noise_frames(*size))


def assert_the_grid_is_right(model: Any, frames: FrameSet) -> None:
    """Change the pixels of random cells; the token that the grid names must change most, every time."""
    case = probe_clip("clip", model, frames)
    assert case.status == "passed", case.detail


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
