"""(torch) Qwen2-VL: frames merged in pairs, cells of 28 pixels, rotary positions in step, height and width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from transformers import Qwen2VLForConditionalGeneration, Qwen2VLProcessor

from socialcli.alignment.grid import VisualGrid
from socialcli.models.contract import EncodedClip, LoadOptions
from socialcli_qwen.adapter import QwenVLAdapter
from socialcli_qwen.positions import Block

from . import SPEC


class Qwen2VLAdapter(QwenVLAdapter):
    """Qwen2-VL ("Qwen2-VL: Enhancing Vision-Language Model's Perception of the World", arXiv 2409.12191)."""

    model_class = Qwen2VLForConditionalGeneration
    processor_class = Qwen2VLProcessor

    def blocks(self, grid: VisualGrid, clip: EncodedClip) -> Sequence[Block]:
        """One block; its steps are numbered, however many seconds lie between them."""
        return [Block(grid.tokens, np.arange(len(grid.tokens)))]


def load(options: LoadOptions) -> Qwen2VLAdapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return Qwen2VLAdapter.load(SPEC, options)
