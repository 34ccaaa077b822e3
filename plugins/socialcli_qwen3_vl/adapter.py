"""(torch) Qwen3-VL: frames merged in pairs, cells of 32 pixels, and the time of each pair in words before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from transformers import (
    Qwen3VLForConditionalGeneration,
    Qwen3VLMoeForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from socialcli.alignment.grid import VisualGrid
from socialcli.models.contract import EncodedClip, LoadOptions
from socialcli.models.frame_times import times_from_first
from socialcli.video.frames import FrameSet
from socialcli_qwen.adapter import QwenVLAdapter
from socialcli_qwen.positions import Block

from . import SPEC


class Qwen3VLAdapter(QwenVLAdapter):
    """Qwen3-VL ("Qwen3-VL Technical Report", arXiv 2511.21631)."""

    model_class: ClassVar[type[Any]] = Qwen3VLForConditionalGeneration
    further_model_classes: ClassVar[tuple[type[Any], ...]] = (Qwen3VLMoeForConditionalGeneration,)
    processor_class = Qwen3VLProcessor
    video_processor_class = Qwen3VLVideoProcessor

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """Whole pairs of frames, the cap on their pixels, and their times.

        The processor would repeat an odd last frame too, but it refuses a single frame, and it limits the pixels of all
        frames together, rounding an odd number of them: with whole pairs its limit is exact per frame.
        """
        shown = list(frames.frames)
        shown += shown[-1:] * (-len(shown) % self.processor.video_processor.temporal_patch_size)
        metadata = times_from_first([frame.time for frame in shown])
        size = self._pixel_range(len(shown))
        arguments = {"video_metadata": [metadata], "size": size, "cap_pixels_per_frame": False}
        return np.stack([frame.image for frame in shown]), arguments

    def blocks(self, grid: VisualGrid, clip: EncodedClip) -> Sequence[Block]:
        """A block per step, without time of its own: the words before it say the time."""
        return [Block(step[np.newaxis], np.zeros(1, dtype=np.int64)) for step in grid.tokens]


def load(options: LoadOptions) -> Qwen3VLAdapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return Qwen3VLAdapter.load(SPEC, options)
