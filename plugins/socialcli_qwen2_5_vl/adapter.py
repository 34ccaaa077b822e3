"""(torch) Qwen2.5-VL: frames merged in pairs, cells of 28 pixels, rotary positions in time, height and width."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers
from torch import Tensor
from transformers import (
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessor,
    Qwen2VLVideoProcessor,
)
from transformers.video_utils import VideoMetadata

from socialcli.alignment.grid import Cells, affine_cells
from socialcli.errors import UsageError
from socialcli.models.contract import EncodedClip, EncodedPrompt, LoadOptions
from socialcli.models.huggingface import HuggingFaceAdapter
from socialcli.video.frames import FrameSet

from . import SPEC
from .positions import trained_positions

VIDEO_TOKEN_TYPE = 2  # in mm_token_type_ids: 0 text, 1 image, 2 video


class Qwen2_5_VLAdapter(HuggingFaceAdapter):
    """Qwen2.5-VL ("Qwen2.5-VL Technical Report", arXiv 2502.13923)."""

    model_class = Qwen2_5_VLForConditionalGeneration
    processor_class = Qwen2_5_VLProcessor
    image_processor_class = Qwen2VLImageProcessor
    video_processor_class = Qwen2VLVideoProcessor

    def __init__(self, *arguments: Any, **choices: Any) -> None:
        """As the base class. Raises UsageError for library positions that this transformers computes wrongly."""
        super().__init__(*arguments, **choices)
        if self.choices.positions == "library" and self._library_cuts_seconds():
            raise UsageError(
                f"--positions library: transformers {transformers.__version__} cuts the seconds between two steps of a "
                "video to a whole number, which gives frames less than a second apart the same time; use --positions "
                "trained, or transformers 5.18 or newer"
            )

    @property
    def visual_token_id(self) -> int:
        """The id of `<|video_pad|>`."""
        return int(self.model.config.video_token_id)

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames unchanged, the cap on their pixels, and their rate: without it all would share one moment.

        The cap is per frame: by default, newer versions of the processor also cap the sum over all frames.
        """
        count = len(frames.frames)
        metadata = VideoMetadata(total_num_frames=count, fps=frames.fps, frames_indices=list(range(count)))
        arguments = {"video_metadata": [metadata], "size": self._pixel_range(), "cap_pixels_per_frame": False}
        return np.stack([frame.image for frame in frames.frames]), arguments

    def default_max_pixels(self) -> int:
        """The family's cap, or the checkpoint's own if smaller: it may have been trained on small frames."""
        own = int(self.processor.video_processor.size["longest_edge"])
        return own if self.spec.max_pixels is None else min(own, self.spec.max_pixels)

    def _pixel_range(self) -> dict[str, int]:
        """The least and the most pixels of a frame, under the processor's (misleading) names."""
        processor, most = self.processor.video_processor, int(self.choices.max_pixels or 0)
        side = processor.patch_size * processor.merge_size
        if most < side * side:
            raise UsageError(
                f"--max-pixels {most} is less than one cell of {side} x {side} pixels; give {side * side} or more"
            )
        return {"shortest_edge": min(int(processor.size["shortest_edge"]), most), "longest_edge": most}

    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """Each step merges `temporal_patch_size` frames; the processor may repeat the last one."""
        processor = self.processor.video_processor
        steps, height, width = (int(size) for size in inputs["video_grid_thw"][0])
        height, width = height // processor.merge_size, width // processor.merge_size
        merged = processor.temporal_patch_size
        indices = range(len(frames.frames))
        in_steps = tuple(tuple(indices[step * merged : (step + 1) * merged]) for step in range(steps))
        return in_steps, affine_cells(height, width, (0.0, 0.0), (frames.width / width, frames.height / height))

    def positions(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Tensor:
        """Position ids in time, height and width, (3, 1, length). Never the model's own, left from another prompt."""
        if clip is None or prompt.grid is None:
            return super().positions(prompt, clip).expand(3, 1, -1)
        if self.choices.positions == "library":
            grid, seconds = (clip.inputs[name].cpu() for name in ("video_grid_thw", "second_per_grid_ts"))
            return self._library_positions(torch.from_numpy(prompt.ids), grid, seconds).to(self.device)
        positions = trained_positions(
            prompt.length,
            prompt.grid.tokens,
            float(clip.inputs["second_per_grid_ts"][0]),
            float(self.model.config.vision_config.tokens_per_second),
        )
        return torch.from_numpy(positions).to(self.device).unsqueeze(1)

    def _library_positions(self, ids: Tensor, grid: Tensor, seconds_per_step: Tensor) -> Tensor:
        """Positions by transformers for token `ids` (length), a grid (1, 3), seconds per step (1): (3, 1, length)."""
        ids = ids.unsqueeze(0)
        positions: Tensor = self.model.model.get_rope_index(
            ids,
            (ids == self.visual_token_id).to(torch.int32) * VIDEO_TOKEN_TYPE,
            video_grid_thw=grid,
            second_per_grid_ts=seconds_per_step,
            attention_mask=torch.ones_like(ids),
        )[0]
        return positions

    def _library_cuts_seconds(self) -> bool:
        """Test by behaviour, not by version: two steps of one cell each, one and a half positions apart."""
        vision = self.model.config.vision_config
        side = vision.spatial_merge_size
        ids, grid = torch.full((2,), self.visual_token_id), torch.tensor([[2, side, side]])
        positions = self._library_positions(ids, grid, torch.tensor([1.5 / vision.tokens_per_second]))
        return int(positions[0, 0, 1]) != 1


def load(options: LoadOptions) -> Qwen2_5_VLAdapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return Qwen2_5_VLAdapter.load(SPEC, options)
