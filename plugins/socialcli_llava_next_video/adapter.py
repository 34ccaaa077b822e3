"""(torch) LLaVA-NeXT-Video: a grid of 12 x 12 cells per frame, each the average of 2 x 2 patches of 14 pixels.

The checkpoint's own preprocessing scales the short edge to 336 pixels and crops to the centre square, which loses the
outer speakers of a 16:9 frame. `--frame-fit` offers pad (default: the whole frame on a square in the mean colour),
stretch (the whole frame, distorted), and crop (the checkpoint's own).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from transformers import (
    LlavaNextImageProcessor,
    LlavaNextVideoForConditionalGeneration,
    LlavaNextVideoProcessor,
    LlavaNextVideoVideoProcessor,
)

from socialcli.alignment.grid import Cells, affine_cells
from socialcli.models.contract import LoadOptions
from socialcli.models.huggingface import HuggingFaceAdapter
from socialcli.models.squares import pad_to_square, square_around
from socialcli.video.frames import FrameSet

from . import SPEC


class LlavaNextVideoAdapter(HuggingFaceAdapter):
    """LLaVA-NeXT-Video ("LLaVA-NeXT: A Strong Zero-shot Video Understanding Model", 2024)."""

    model_class = LlavaNextVideoForConditionalGeneration
    processor_class = LlavaNextVideoProcessor
    image_processor_class = LlavaNextImageProcessor
    video_processor_class = LlavaNextVideoVideoProcessor

    @classmethod
    def processor_settings(cls, config: Any) -> Mapping[str, Any]:
        """The settings of patches, which the oldest conversions leave out of processor_config.json."""
        return {
            "patch_size": config.vision_config.patch_size,
            "vision_feature_select_strategy": config.vision_feature_select_strategy,
        }

    @property
    def visual_token_id(self) -> int:
        """The id of `<video>`."""
        return int(self.model.config.video_token_id)

    @property
    def side(self) -> int:
        """Edge of the square image that the vision tower takes, pixels."""
        return int(self.processor.video_processor.crop_size["height"])

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames, fitted as `frame_fit` says: padded here; stretched or cropped by the processor."""
        if self.frame_fit == "pad":
            return pad_to_square(frames, self.processor.video_processor.image_mean), {}
        video = np.stack([frame.image for frame in frames.frames])
        if self.frame_fit == "stretch":
            return video, {"size": {"height": self.side, "width": self.side}, "do_center_crop": False}
        return video, {}

    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """One step per frame; the cells follow from how the frame was fitted."""
        count = self.side // self.processor.patch_size // self.model.config.spatial_pool_stride
        left, top, width, height = self._window(frames.width, frames.height)
        cells = affine_cells(count, count, (left, top), (width / count, height / count))
        return tuple((index,) for index in range(len(frames.frames))), cells

    def _window(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, width and height of the area that the model sees, in pixels of the original frame."""
        if self.frame_fit == "stretch":
            return 0.0, 0.0, width, height
        if self.frame_fit == "pad":
            left, top, side = square_around(width, height)
            return left, top, side, side
        short = self.processor.video_processor.size["shortest_edge"]
        scaled_width, scaled_height = scaled_size(width, height, short)
        left, top = round((scaled_width - self.side) / 2), round((scaled_height - self.side) / 2)
        across, down = width / scaled_width, height / scaled_height
        return left * across, top * down, self.side * across, self.side * down


def scaled_size(width: int, height: int, short: int) -> tuple[int, int]:
    """Width and height after the processor's resize: the short edge becomes `short`, the long one is rounded down."""
    if width <= height:
        return short, int(short * height / width)
    return int(short * width / height), short


def load(options: LoadOptions) -> LlavaNextVideoAdapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return LlavaNextVideoAdapter.load(SPEC, options)
