"""(torch) SmolVLM2: each frame squashed to a square, its patches shuffled to 9 x 9 cells, its time in words before it.

The smaller checkpoints make 8 x 8 cells of other patches; everything is derived from the checkpoint's own files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from transformers import (
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessor,
    SmolVLMProcessor,
    SmolVLMVideoProcessor,
)

from socialcli.alignment.grid import Cells, affine_cells
from socialcli.models.contract import LoadOptions
from socialcli.models.frame_times import times_from_first
from socialcli.models.huggingface import HuggingFaceAdapter
from socialcli.video.frames import FrameSet

from . import SPEC


class SmolVLM2Adapter(HuggingFaceAdapter):
    """SmolVLM2 ("SmolVLM: Redefining small and efficient multimodal models", arXiv 2504.05299)."""

    model_class = SmolVLMForConditionalGeneration
    processor_class = SmolVLMProcessor
    image_processor_class = SmolVLMImageProcessor
    video_processor_class = SmolVLMVideoProcessor

    @classmethod
    def processor_settings(cls, config: Any) -> Mapping[str, Any]:
        """The number of visual tokens of a frame."""
        return {"image_seq_len": _cells_a_side(config) ** 2}

    @property
    def visual_token_id(self) -> int:
        """The id of `<image>`, which stands for visual tokens of a video too."""
        return int(self.processor.image_token_id)

    @property
    def decoder_layers(self) -> Sequence[Any]:
        """The layers of the text decoder, in order."""
        return list(self.model.model.text_model.layers)

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames as they are, which the processor squashes, and their times.

        The processor cuts the duration to whole seconds, and the last frame begins before the clip ends: rounded to the
        nearest second first, a clip of 12 seconds is not called one of 11.
        """
        times = frames.times
        metadata = times_from_first(times, duration=float(round(times[-1] - times[0])))
        return np.stack([frame.image for frame in frames.frames]), {"video_metadata": [metadata]}

    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """One step per frame; whole patches only are seen, so that the last pixels may belong to no cell."""
        config, side = self.model.config, int(inputs["pixel_values"].shape[-1])
        count = isqrt(self.processor.image_seq_len)
        seen = count * config.scale_factor * config.vision_config.patch_size / side  # 378 of 384 pixels in the 2.2B
        cells = affine_cells(count, count, (0.0, 0.0), (frames.width * seen / count, frames.height * seen / count))
        return tuple((index,) for index in range(len(frames.frames))), cells


def _cells_a_side(config: Any) -> int:
    """Cells along each side of a frame, by the model's configuration."""
    vision = config.vision_config
    return int(vision.image_size // vision.patch_size // config.scale_factor)


def load(options: LoadOptions) -> SmolVLM2Adapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return SmolVLM2Adapter.load(SPEC, options)
