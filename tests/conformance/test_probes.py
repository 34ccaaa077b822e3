"""Which grids the probe accepts, and what it says about the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from socialcli.conformance.grid import probe_clip
from socialcli.conformance.scene import noise_frames
from socialcli.video.frames import FrameSet
from socialcli_internvl3.adapter import InternVL3Adapter

from ..conftest import tiny_model


class Unseen(InternVL3Adapter):
    """Names no token for the cells of the first row."""

    def cell_tokens(self, *arguments: Any) -> np.ndarray:
        tokens = super().cell_tokens(*arguments)
        tokens[:, 0] = -1
        return tokens


class Outside(InternVL3Adapter):
    """Has cells in pixels of another picture."""

    def grid_shape(self, inputs: Mapping[str, torch.Tensor], frames: FrameSet) -> Any:
        steps, cells = super().grid_shape(inputs, frames)
        return steps, cells + 1e4


class Shared(InternVL3Adapter):
    """Names one token for all cells."""

    def cell_tokens(self, *arguments: Any) -> np.ndarray:
        return np.zeros_like(super().cell_tokens(*arguments))


class Late(InternVL3Adapter):
    """Counts a token that is no cell before the others."""

    def cell_tokens(self, *arguments: Any) -> np.ndarray:
        return np.roll(super().cell_tokens(*arguments), -1)


class Dropped(InternVL3Adapter):
    """Shows fewer frames than it gets, and knows it."""

    def prepare_frames(self, frames: FrameSet) -> tuple[np.ndarray, dict[str, Any]]:
        video, arguments = super().prepare_frames(frames)
        return video[::2], arguments

    def grid_shape(self, inputs: Mapping[str, torch.Tensor], frames: FrameSet) -> Any:
        steps, cells = super().grid_shape(inputs, frames)
        return steps[::2], cells


@pytest.mark.parametrize(
    ("adapter", "status", "detail"),
    [
        (InternVL3Adapter, "passed", "grid 2x16x16, 8 cells changed, 2 of them alone"),
        (Unseen, "passed", "grid 2x16x16, 8 cells changed, 2 of them alone"),
        (Outside, "failed", "no cell that has a token lies wholly in the frame"),
        (Shared, "failed", "a token stands for several cells"),
        (Late, "failed", "the cells are wrong, all by -1 token"),
        (Dropped, "failed", "the steps show the frames [0], not each of 2 once"),
    ],
)
def test_the_probe_finds_what_is_wrong(adapter: Any, status: str, detail: str) -> None:
    sound = tiny_model("internvl3")
    case = probe_clip("clip", adapter(sound.spec, sound.model, sound.processor), noise_frames(count=2))
    assert case.status == status
    assert detail in case.detail
