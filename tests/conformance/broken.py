"""Adapters of the built-in families, each broken in one way that no run would notice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from socialcli.models.contract import EncodedClip, EncodedPrompt
from socialcli.video.frames import FrameSet
from socialcli_internvl3.adapter import InternVL3Adapter
from socialcli_llava_next_video.adapter import LlavaNextVideoAdapter
from socialcli_qwen2_5_vl.adapter import Qwen2_5_VLAdapter


class TransposedGrid(Qwen2_5_VLAdapter):
    def grid_shape(self, inputs: Mapping[str, torch.Tensor], frames: FrameSet) -> Any:
        steps, cells = super().grid_shape(inputs, frames)
        return steps, cells.transpose(1, 0, 2)


class LateSteps(LlavaNextVideoAdapter):
    def grid_shape(self, inputs: Mapping[str, torch.Tensor], frames: FrameSet) -> Any:
        steps, cells = super().grid_shape(inputs, frames)
        return (*steps[1:], steps[0]), cells


class ShiftedSpans(InternVL3Adapter):
    def encode_prompt(self, text: str, spans: Sequence[Any], clip: EncodedClip | None) -> EncodedPrompt:
        encoded = super().encode_prompt(text, spans, clip)
        return replace(encoded, token_spans=tuple(tokens + 1 for tokens in encoded.token_spans))


class NoBeginning(LlavaNextVideoAdapter):
    def encode_prompt(self, text: str, spans: Sequence[Any], clip: EncodedClip | None) -> EncodedPrompt:
        encoded = super().encode_prompt(text, spans, clip)
        grid = None if encoded.grid is None else replace(encoded.grid, tokens=encoded.grid.tokens - 1)
        shifted = tuple(tokens - 1 for tokens in encoded.token_spans)
        return EncodedPrompt(encoded.ids[1:], shifted, grid, max(encoded.prefix - 1, 0))


class Resampled(InternVL3Adapter):
    def prepare_frames(self, frames: FrameSet) -> tuple[np.ndarray, dict[str, Any]]:
        video, arguments = super().prepare_frames(frames)
        return video[np.arange(len(video)) // 2 * 2], arguments  # every other frame, twice


class ImageToken(Qwen2_5_VLAdapter):
    @property
    def visual_token_id(self) -> int:
        return int(self.model.config.image_token_id)


class ReversedLayers(InternVL3Adapter):
    @property
    def layers(self) -> Sequence[Any]:
        return super().layers[::-1]


class IgnoredPadding(LlavaNextVideoAdapter):
    def forward_inputs(self, prompts: Sequence[EncodedPrompt], clip: EncodedClip | None) -> dict[str, torch.Tensor]:
        inputs = super().forward_inputs(prompts, clip)
        return inputs | {"attention_mask": torch.ones_like(inputs["attention_mask"])}


class LeftPositions(Qwen2_5_VLAdapter):
    def forward_inputs(self, prompts: Sequence[EncodedPrompt], clip: EncodedClip | None) -> dict[str, torch.Tensor]:
        inputs = super().forward_inputs(prompts, clip)
        return {name: value for name, value in inputs.items() if name != "position_ids"}


class FalseSave(InternVL3Adapter):
    def save(self, folder: Path) -> None:
        super().save(folder)
        config = json.loads((folder / "config.json").read_text())
        config["text_config"]["rope_parameters"]["rope_theta"] *= 2
        (folder / "config.json").write_text(json.dumps(config))


@dataclass(frozen=True)
class Fault:
    """A broken adapter, and the failed cases that point to its fault."""

    adapter: Callable[..., Any]
    family: str
    check: str  # the check that names the fault
    case: str  # its first case that fails
    detail: str  # words of it
    others: frozenset[str] = frozenset()  # further checks that fail, of those that `test_faults` runs


FAULTS = (
    Fault(TransposedGrid, "qwen2.5-vl", "grid", "640x360, 8 frames", "the grid is transposed"),
    Fault(LateSteps, "llava-next-video", "grid", "640x360, 8 frames", "the steps are wrong"),
    Fault(ShiftedSpans, "internvl3", "spans", "utterances, videoqa", "its beginning is missing"),
    Fault(NoBeginning, "llava-next-video", "conversation", "without video", "'▁USER' ':' '▁Who' and '<s>'"),
    Fault(
        Resampled,
        "internvl3",
        "grid",
        "640x360, 8 frames",
        "changing frames [1, 3, 5, 7] changes nothing: are frames dropped or sampled again?",
    ),
    Fault(
        ImageToken,
        "qwen2.5-vl",
        "conversation",
        "visual token",
        "which the processor's conversation does not hold; most frequent there is '<|video_pad|>'",
        frozenset({"refusals", "spans", "grid", "layers", "alpha-0", "prefix", "batch", "dense"}),
    ),
    Fault(ReversedLayers, "internvl3", "layers", "one module per layer", "in order; see layer 0"),
    Fault(
        IgnoredPadding,
        "llava-next-video",
        "batch",
        "plain, whole prompts padded",
        "does `forward_inputs`",
    ),
)
