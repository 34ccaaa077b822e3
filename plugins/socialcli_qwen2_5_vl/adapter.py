"""(torch) Qwen2.5-VL: frames merged in pairs, cells of 28 pixels, rotary positions in time, height and width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from socialcli.alignment.grid import VisualGrid
from socialcli.errors import UsageError
from socialcli.models.contract import EncodedClip, EncodedPrompt, LoadOptions
from socialcli_qwen.adapter import QwenVLAdapter
from socialcli_qwen.positions import Block

from . import SPEC
from .positions import moments

VIDEO_TOKEN_TYPE = 2  # in mm_token_type_ids: 0 text, 1 image, 2 video


class Qwen2_5_VLAdapter(QwenVLAdapter):
    """Qwen2.5-VL ("Qwen2.5-VL Technical Report", arXiv 2502.13923)."""

    model_class = Qwen2_5_VLForConditionalGeneration
    processor_class = Qwen2_5_VLProcessor

    def __init__(self, *arguments: Any, **choices: Any) -> None:
        """As the base class. Raises UsageError for library positions that this transformers computes wrongly."""
        super().__init__(*arguments, **choices)
        if self.choices.positions == "library" and self._library_cuts_seconds():
            raise UsageError(
                f"--positions library: transformers {transformers.__version__} cuts the seconds between two steps of a "
                "video to a whole number, which gives frames less than a second apart the same time; use --positions "
                "trained, or transformers 5.18 or newer"
            )

    def blocks(self, grid: VisualGrid, clip: EncodedClip) -> Sequence[Block]:
        """One block, its steps at their times in the video."""
        seconds_per_step = float(clip.inputs["second_per_grid_ts"][0])
        per_second = float(self.model.config.vision_config.tokens_per_second)
        return [Block(grid.tokens, moments(len(grid.tokens), seconds_per_step, per_second))]

    def positions(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Tensor:
        """As the base class, or by the installed transformers where `--positions library` says so."""
        if clip is None or self.choices.positions != "library":
            return super().positions(prompt, clip)
        grid, seconds = (clip.inputs[name].cpu() for name in ("video_grid_thw", "second_per_grid_ts"))
        return self._library_positions(torch.from_numpy(prompt.ids), grid, seconds).to(self.device)

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
