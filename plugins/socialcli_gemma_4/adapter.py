"""(torch) Gemma 4: frames at their own shape, at most 70 cells of 48 pixels each, the time in words before each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import (
    Gemma4ForConditionalGeneration,
    Gemma4Processor,
    Gemma4UnifiedForConditionalGeneration,
    Gemma4UnifiedProcessor,
)

from socialcli.alignment.grid import Cells, affine_cells
from socialcli.models.contract import EncodedClip, EncodedPrompt, LoadOptions
from socialcli.models.frame_times import times_from_first
from socialcli.models.huggingface import HuggingFaceAdapter
from socialcli.video.frames import FrameSet

from . import SPEC

VIDEO_TOKEN_TYPE = 2  # in mm_token_type_ids: 0 text, 1 image, 2 video, 3 audio


class Gemma4Adapter(HuggingFaceAdapter):
    """Gemma 4 with a vision tower (E2B, E4B, 26B-A4B, 31B), or without one (12B, "unified"). Sounds are not used."""

    model_class = Gemma4ForConditionalGeneration
    further_model_classes = (Gemma4UnifiedForConditionalGeneration,)
    processor_class = Gemma4Processor

    @classmethod
    def load_processor(cls, folder: Path, config: Any, checkpoint: str) -> Any:
        """The processor of the checkpoint in a local `folder`: each of the model classes has its own."""
        kind = Gemma4UnifiedProcessor if _is_unified(config) else Gemma4Processor
        return kind.from_pretrained(str(folder), trust_remote_code=False)

    @property
    def visual_token_id(self) -> int:
        """The id of `<|video|>`."""
        return int(self.model.config.video_token_id)

    @property
    def end_id(self) -> int:
        """The id of `<turn|>`, which ends a turn; the tokenizer's own end token, `<eos>`, ends a document."""
        return int(self.processor.tokenizer.convert_tokens_to_ids("<turn|>"))

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames as they are, which the processor resizes, and their times, which it cuts to whole seconds."""
        images = np.stack([frame.image for frame in frames.frames])
        return images, {"video_metadata": [times_from_first(frames.times)]}

    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """One step per frame; its cells are pools of patches, whose columns and rows the processor lists."""
        pooled = 1 if _is_unified(self.model.config) else self.processor.video_processor.pooling_kernel_size
        last = inputs["video_position_ids"].reshape(-1, 2).amax(dim=0)  # of all patches; padding has -1
        columns, rows = (int(index + 1) // pooled for index in last)
        cells = affine_cells(rows, columns, (0.0, 0.0), (frames.width / columns, frames.height / rows))
        return tuple((index,) for index in range(len(frames.frames))), cells

    def token_inputs(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Mapping[str, Tensor]:
        """The types of the tokens: in the large models the visual tokens of a frame see each other both ways."""
        visual = torch.from_numpy(prompt.ids == self.visual_token_id).to(self.device)
        return {"mm_token_type_ids": visual.unsqueeze(0) * VIDEO_TOKEN_TYPE}


def _is_unified(config: Any) -> bool:
    """Whether the model takes the pixels of a cell as they are, without a vision tower."""
    return bool(config.model_type == "gemma4_unified")


def load(options: LoadOptions) -> Gemma4Adapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return Gemma4Adapter.load(SPEC, options)
