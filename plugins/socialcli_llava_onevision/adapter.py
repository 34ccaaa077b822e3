"""(torch) LLaVA-OneVision: a grid of 14 x 14 cells per frame, interpolated from 27 x 27 patches, and one newline token.

The checkpoint's own preprocessing squashes a frame to a square. `--frame-fit` offers that (stretch, the default) and
pad (the whole frame, undistorted, on a square in the mean colour).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from transformers import (
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionImageProcessor,
    LlavaOnevisionProcessor,
    LlavaOnevisionVideoProcessor,
)

from socialcli.alignment.grid import Cells, affine_cells
from socialcli.models.contract import LoadOptions
from socialcli.models.huggingface import HuggingFaceAdapter
from socialcli.models.squares import pad_to_square, square_around
from socialcli.video.frames import FrameSet

from . import SPEC


class LlavaOnevisionAdapter(HuggingFaceAdapter):
    """LLaVA-OneVision ("LLaVA-OneVision: Easy Visual Task Transfer", arXiv 2408.03326)."""

    model_class = LlavaOnevisionForConditionalGeneration
    processor_class = LlavaOnevisionProcessor
    image_processor_class = LlavaOnevisionImageProcessor
    video_processor_class = LlavaOnevisionVideoProcessor

    @classmethod
    def processor_settings(cls, config: Any) -> Mapping[str, Any]:
        """The number of patches of a frame, and how the vision tower's features are selected."""
        vision = config.vision_config
        return {
            "num_image_tokens": (vision.image_size // vision.patch_size) ** 2,
            "vision_feature_select_strategy": config.vision_feature_select_strategy,
        }

    @property
    def visual_token_id(self) -> int:
        """The id of `<video>`."""
        return int(self.processor.video_token_id)

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames as they are, which the processor squashes, or padded to squares."""
        if self.frame_fit == "pad":
            return pad_to_square(frames, self.processor.video_processor.image_mean), {}
        return np.stack([frame.image for frame in frames.frames]), {}

    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """One step per frame; whole patches only are seen: 378 of 384 pixels in the published checkpoints."""
        patches = isqrt(self.processor.num_image_tokens)
        count = ceil(patches / 2)
        seen = patches * self.model.config.vision_config.patch_size / int(inputs["pixel_values_videos"].shape[-1])
        left, top, width, height = 0, 0, frames.width, frames.height
        if self.frame_fit == "pad":
            left, top, width = square_around(frames.width, frames.height)
            height = width
        cells = affine_cells(count, count, (left, top), (width * seen / count, height * seen / count))
        return tuple((index,) for index in range(len(frames.frames))), cells

    def cell_tokens(
        self, inputs: Mapping[str, Tensor], frames: FrameSet, shape: tuple[int, int, int], count: int
    ) -> npt.NDArray[np.int64]:
        """By step, row and column; the last visual token is a newline, and shows no cell."""
        return super().cell_tokens(inputs, frames, shape, count - 1)


def load(options: LoadOptions) -> LlavaOnevisionAdapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return LlavaOnevisionAdapter.load(SPEC, options)
