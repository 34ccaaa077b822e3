"""(torch) Qwen2.5-VL: frames merged in pairs, cells of 28 pixels, rotary positions in time, height and width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import (
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)
from transformers.video_utils import VideoMetadata

from socialcli.adapters.contract import EncodedClip, EncodedPrompt, LoadOptions
from socialcli.adapters.huggingface import HuggingFaceAdapter
from socialcli.alignment.grid import Cells, affine_cells
from socialcli.video.frames import FrameSet

from . import SPEC

VIDEO_TOKEN_TYPE = 2  # in mm_token_type_ids: 0 text, 1 image, 2 video


class Qwen2_5_VLAdapter(HuggingFaceAdapter):
    """Qwen2.5-VL ("Qwen2.5-VL Technical Report", arXiv 2502.13923)."""

    model_class = Qwen2_5_VLForConditionalGeneration
    processor_class = Qwen2_5_VLProcessor
    image_processor_class = Qwen2VLImageProcessor
    video_processor_class = Qwen2VLVideoProcessor

    @property
    def visual_token_id(self) -> int:
        """The id of `<|video_pad|>`."""
        return int(self.model.config.video_token_id)

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames as they are, with their rate: without it the model would see them all at one moment."""
        count = len(frames.frames)
        metadata = VideoMetadata(total_num_frames=count, fps=frames.fps, frames_indices=list(range(count)))
        return np.stack([frame.image for frame in frames.frames]), {"video_metadata": [metadata]}

    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """Each step merges as many frames as the processor's temporal patch holds (the last may be a repetition)."""
        processor = self.processor.video_processor
        steps, height, width = (int(size) for size in inputs["video_grid_thw"][0])
        height, width = height // processor.merge_size, width // processor.merge_size
        merged = processor.temporal_patch_size
        indices = range(len(frames.frames))
        in_steps = tuple(tuple(indices[step * merged : (step + 1) * merged]) for step in range(steps))
        return in_steps, affine_cells(height, width, (0.0, 0.0), (frames.width / width, frames.height / height))

    def positions(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Tensor:
        """Position ids in time, height and width, (3, 1, length). Never the model's own, left from another prompt."""
        if clip is None:
            return super().positions(prompt, clip).expand(3, 1, -1)
        ids = torch.from_numpy(prompt.ids).to(self.device).unsqueeze(0)
        positions: Tensor = self.model.model.get_rope_index(
            ids,
            self._token_types(ids),
            video_grid_thw=clip.inputs["video_grid_thw"],
            second_per_grid_ts=clip.inputs["second_per_grid_ts"],
            attention_mask=torch.ones_like(ids),
        )[0]
        return positions

    def forward_inputs(self, prompts: Sequence[EncodedPrompt], clip: EncodedClip | None) -> dict[str, Tensor]:
        """Token types as well: without them the positions would silently be one-dimensional."""
        inputs = super().forward_inputs(prompts, clip)
        return inputs | {"mm_token_type_ids": self._token_types(inputs["input_ids"])}

    def _token_types(self, ids: Tensor) -> Tensor:
        return (ids == self.visual_token_id).to(torch.int32) * VIDEO_TOKEN_TYPE


def load(options: LoadOptions) -> Qwen2_5_VLAdapter:
    """Load a checkpoint; CheckpointError where it cannot be had."""
    return Qwen2_5_VLAdapter.load(SPEC, options)
