"""(torch) The base class of the Qwen-VL adapters: frames merged in pairs, positions in time, height and width."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import Qwen2VLImageProcessor, Qwen2VLVideoProcessor
from transformers.video_utils import VideoMetadata

from socialcli.alignment.grid import Cells, VisualGrid, affine_cells
from socialcli.errors import UsageError
from socialcli.models.contract import EncodedClip, EncodedPrompt
from socialcli.models.huggingface import HuggingFaceAdapter
from socialcli.video.frames import FrameSet

from .positions import Block, number_tokens


class QwenVLAdapter(HuggingFaceAdapter):
    """What Qwen2-VL and the models after it share. A subclass names its classes and its blocks of visual tokens."""

    image_processor_class: ClassVar[type[Any]] = Qwen2VLImageProcessor
    video_processor_class: ClassVar[type[Any]] = Qwen2VLVideoProcessor

    @abstractmethod
    def blocks(self, grid: VisualGrid, clip: EncodedClip) -> Sequence[Block]:
        """The runs of visual tokens without text between them, with their steps' positions in time."""

    @property
    def visual_token_id(self) -> int:
        """The id of `<|video_pad|>`."""
        return int(self.model.config.video_token_id)

    def default_max_pixels(self) -> int:
        """The family's cap, or the checkpoint's own if smaller: it may have been trained on small frames."""
        own = int(self.processor.video_processor.size["longest_edge"])
        return own if self.spec.max_pixels is None else min(own, self.spec.max_pixels)

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames unchanged, the cap on their pixels, and their rate: without it all would share one moment.

        The cap is per frame: by default, newer versions of the processor also cap the sum over all frames.
        """
        count = len(frames.frames)
        metadata = VideoMetadata(total_num_frames=count, fps=frames.fps, frames_indices=list(range(count)))
        arguments = {"video_metadata": [metadata], "size": self._pixel_range(), "cap_pixels_per_frame": False}
        return np.stack([frame.image for frame in frames.frames]), arguments

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
        positions = number_tokens(prompt.length, self.blocks(prompt.grid, clip))
        return torch.from_numpy(positions).to(self.device).unsqueeze(1)

    def _pixel_range(self, frames: int = 1) -> dict[str, int]:
        """The least and the most pixels of `frames` frames together, under the processor's (misleading) names."""
        processor, most = self.processor.video_processor, int(self.choices.max_pixels or 0)
        side = processor.patch_size * processor.merge_size
        if most < side * side:
            raise UsageError(
                f"--max-pixels {most} is less than one cell of {side} x {side} pixels; give {side * side} or more"
            )
        return {
            "shortest_edge": min(int(processor.size["shortest_edge"]), most * frames),
            "longest_edge": most * frames,
        }
