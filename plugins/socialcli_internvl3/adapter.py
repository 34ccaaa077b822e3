"""(torch) InternVL3: each frame squashed to a square with a grid of 16 x 16 cells, and text between the frames."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor
from transformers import (
    GotOcr2ImageProcessor,
    InternVLForConditionalGeneration,
    InternVLProcessor,
    InternVLVideoProcessor,
)

from socialcli.alignment.grid import Cells, affine_cells
from socialcli.models.checkpoints.files import weight_names
from socialcli.models.contract import LoadOptions
from socialcli.models.huggingface import HuggingFaceAdapter
from socialcli.video.frames import FrameSet

from . import SPEC


class InternVL3Adapter(HuggingFaceAdapter):
    """InternVL3 ("InternVL3: Exploring Advanced Training and Test-Time Recipes", arXiv 2504.10479)."""

    model_class = InternVLForConditionalGeneration
    processor_class = InternVLProcessor
    image_processor_class = GotOcr2ImageProcessor
    video_processor_class = InternVLVideoProcessor

    @classmethod
    def processor_settings(cls, config: Any) -> Mapping[str, Any]:
        """The number of visual tokens of a frame."""
        return {"image_seq_length": config.image_seq_length}

    @classmethod
    def read_config(cls, folder: Path) -> Any:
        """The configuration, with `tie_word_embeddings` set as the checkpoint's authors meant it."""
        config = super().read_config(folder)
        config.tie_word_embeddings = is_tied(folder)
        return config

    @property
    def visual_token_id(self) -> int:
        """The id of `<IMG_CONTEXT>`."""
        return int(self.processor.image_token_id)

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames as they are; the processor squashes them."""
        return np.stack([frame.image for frame in frames.frames]), {}

    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """One step per frame; the cells divide the whole frame evenly."""
        count = isqrt(self.processor.image_seq_length)
        cells = affine_cells(count, count, (0.0, 0.0), (frames.width / count, frames.height / count))
        return tuple((index,) for index in range(len(frames.frames))), cells


def is_tied(folder: Path) -> bool:
    """Whether the checkpoint's output matrix is its matrix of word embeddings.

    The published checkpoints were saved by transformers 4, which leaves `tie_word_embeddings` to the text decoder; the
    decoders (Qwen2.5, all sizes of InternVL3) are not tied. transformers 5 reads the outer configuration only, and
    defaults to tied: a checkpoint without its output matrix would load with a wrong one. Hence the order: the outer
    configuration; the decoder's; if neither says, whether the weights include an output matrix.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = config.get("text_config")
    for fields in (config, text if isinstance(text, dict) else {}):
        if isinstance(tied := fields.get("tie_word_embeddings"), bool):
            return tied
    names = weight_names(folder)
    return bool(names) and not any(name.endswith("lm_head.weight") for name in names)


def load(options: LoadOptions) -> InternVL3Adapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return InternVL3Adapter.load(SPEC, options)
