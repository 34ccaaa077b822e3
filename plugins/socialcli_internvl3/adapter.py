"""(torch) InternVL3: every frame squashed to a square, a grid of 16 x 16 cells, and words between the frames."""

from __future__ import annotations

from collections.abc import Mapping
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from transformers import InternVLForConditionalGeneration, InternVLProcessor

from socialcli.adapters.contract import LoadOptions
from socialcli.adapters.huggingface import HuggingFaceAdapter
from socialcli.alignment.grid import Cells, affine_cells
from socialcli.video.frames import FrameSet

from . import SPEC


class InternVL3Adapter(HuggingFaceAdapter):
    """InternVL3 ("InternVL3: Exploring Advanced Training and Test-Time Recipes", arXiv 2504.10479)."""

    model_class = InternVLForConditionalGeneration
    processor_class = InternVLProcessor

    @property
    def visual_token_id(self) -> int:
        """The id of `<IMG_CONTEXT>`."""
        return int(self.processor.image_token_id)

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames as they are; the processor squashes them."""
        return np.stack([frame.image for frame in frames.frames]), {}

    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """One step a frame, and a square of cells over the whole of it."""
        count = isqrt(self.processor.image_seq_length)
        cells = affine_cells(count, count, (0.0, 0.0), (frames.width / count, frames.height / count))
        return tuple((index,) for index in range(len(frames.frames))), cells


def load(options: LoadOptions) -> InternVL3Adapter:
    """Load a checkpoint; CheckpointError where it cannot be had."""
    return InternVL3Adapter.load(SPEC, options)
