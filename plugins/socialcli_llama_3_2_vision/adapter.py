"""(torch) Llama-3.2-Vision: a frame is an image in up to four tiles, whose patches are keys of cross-attention layers.

A tile has 40 x 40 patches of 14 pixels, behind one key for the whole tile. Each frame has keys for four tiles, also
where it fills fewer: `cross_attention_mask` hides those of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import MllamaForConditionalGeneration, MllamaProcessor

from socialcli.alignment.grid import Cells, VisualGrid, affine_cells
from socialcli.errors import ModelError
from socialcli.models.contract import EncodedClip, EncodedPrompt, LoadOptions
from socialcli.models.huggingface import HuggingFaceAdapter
from socialcli.video.frames import FrameSet

from . import SPEC
from .sizes import fitted_size, tile_shapes


class Llama32VisionAdapter(HuggingFaceAdapter):
    """Llama-3.2-Vision ("The Llama 3 Herd of Models", arXiv 2407.21783, section 7)."""

    model_class = MllamaForConditionalGeneration
    processor_class = MllamaProcessor
    frames_as_images = True
    # Without an image, the chat template writes the date of the day, and the answers would change with it. This date is
    # the template's own where it cannot know the day.
    template_variables: ClassVar[Mapping[str, Any]] = {"date_string": "26 Jul 2024"}

    def __init__(self, *arguments: Any, **choices: Any) -> None:
        """As the base class."""
        super().__init__(*arguments, **choices)
        self.model.model.register_forward_pre_hook(_pad_mask, with_kwargs=True)

    @property
    def visual_token_id(self) -> int:
        """The id of `<|image|>`, one for each frame; the patches have no tokens in the sequence."""
        return int(self.processor.image_token_id)

    @property
    def layers(self) -> Sequence[Any]:
        """The attention module of each decoder layer: cross-attention to the frames, or self-attention."""
        return [getattr(layer, "cross_attn", None) or layer.self_attn for layer in self.decoder_layers]

    @property
    def cross_layers(self) -> frozenset[int]:
        """The layers with cross-attention: every fifth in the published checkpoints."""
        return frozenset(self.model.config.get_text_config().cross_attention_layers)

    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames as they are; the processor fits them to tiles."""
        return np.stack([frame.image for frame in frames.frames]), {}

    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """One step per frame; the cells are the patches of the tiles that the fitted frame reaches."""
        tile = int(self.processor.image_processor.size["height"])
        height, width = fitted_size(frames.width, frames.height, self._tile_shape(inputs), tile)
        patch = self.model.config.vision_config.patch_size
        cell = patch * frames.width / width, patch * frames.height / height
        cells = affine_cells(-(-height // patch), -(-width // patch), (0.0, 0.0), cell)
        return tuple((index,) for index in range(len(frames.frames))), cells

    def cell_tokens(
        self, inputs: Mapping[str, Tensor], frames: FrameSet, shape: tuple[int, int, int], count: int
    ) -> npt.NDArray[np.int64]:
        """The key of each cell in the cross-attention layers, ((frame * tiles) + tile) * keys of a tile + 1 + patch."""
        if count != shape[0]:
            raise ModelError(f"the processor makes {count} image tokens of {shape[0]} frames")
        vision, tiles = self.model.config.vision_config, inputs["pixel_values"].shape[2]
        side = vision.image_size // vision.patch_size  # patches
        frame, row, column = np.indices(shape)
        tile = row // side * self._tile_shape(inputs)[1] + column // side
        patch = row % side * side + column % side
        keys: npt.NDArray[np.int64] = (frame * tiles + tile) * (side * side + 1) + 1 + patch
        return keys

    def visual_grid(self, visual: npt.NDArray[np.int64], clip: EncodedClip) -> VisualGrid:
        """The grid of every prompt on `clip`: keys of cross-attention, whatever the tokens of the prompt."""
        return VisualGrid(clip.cell_tokens, clip.cells, clip.frames, cross_attention=True)

    def token_inputs(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Mapping[str, Tensor]:
        """The tiles that each token sees, `cross_attention_mask` (1, length, frames, tiles) of 0 and 1.

        Those of the images before it, and of its own, without the tiles that their canvases lack. In the model's dtype,
        which spares the model a copy in another: for each token it makes a number for every key.
        """
        if clip is None:
            return {}
        seen = torch.from_numpy(_seen_images(prompt.ids, self.visual_token_id)).to(self.device)
        tiles = clip.inputs["aspect_ratio_mask"].bool()  # (1, frames, tiles)
        return {"cross_attention_mask": (seen[None, :, :, None] & tiles[:, None]).to(self.model.dtype)}

    def _tile_shape(self, inputs: Mapping[str, Tensor]) -> tuple[int, int]:
        """Rows and columns of tiles of a canvas, the same for all frames of a clip."""
        number = int(inputs["aspect_ratio_ids"][0, 0])
        return tile_shapes(self.processor.image_processor.max_image_tiles)[number - 1]


def _seen_images(ids: npt.NDArray[np.int64], image_id: int) -> npt.NDArray[np.bool_]:
    """Which images each token of a prompt sees, (length, images), as the model was trained.

    Its own and those before it; but where text stands between images, those of the last uninterrupted run only.
    """
    starts = np.flatnonzero(ids == image_id)
    ends = np.append(starts[1:], ids.size)
    for image in range(starts.size - 2, -1, -1):
        if starts[image] + 1 == starts[image + 1]:
            ends[image] = ends[image + 1]
    token = np.arange(ids.size)[:, None]
    seen: npt.NDArray[np.bool_] = (starts <= token) & (token < ends)
    return seen


def _pad_mask(_model: Any, _inputs: Any, arguments: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Pad the cross-attention mask of tokens behind a KV cache in front, as a mask of the whole sequence.

    transformers 5.17 finds a token's row by its index in the sequence; later versions take either mask.
    """
    mask, cache = arguments.get("cross_attention_mask"), arguments.get("cache", arguments.get("past_key_values"))
    tokens = arguments.get("input_ids")
    if mask is not None and cache is not None and tokens is not None and mask.shape[1] == tokens.shape[1]:
        cached = int(cache.get_seq_length())
        arguments = {**arguments, "cross_attention_mask": torch.nn.functional.pad(mask, (0, 0, 0, 0, cached, 0))}
    return _inputs, arguments


def load(options: LoadOptions) -> Llama32VisionAdapter:
    """Load a checkpoint; raises CheckpointError as `HuggingFaceAdapter.load` does."""
    return Llama32VisionAdapter.load(SPEC, options)
