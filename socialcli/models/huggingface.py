"""(torch) The base class of adapters for models of the transformers library.

A subclass names the classes of its family, prepares frames, and says where the grid's cells are; the three in
`plugins/` are examples, and `docs/plugins.md` lists what a subclass may override.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import AutoTokenizer

from socialcli.alignment.grid import Cells
from socialcli.errors import ModelError, VideoError
from socialcli.models.contract import AskedQuestion, EncodedClip, EncodedPrompt, LoadOptions, ModelSpec, OpenClip
from socialcli.models.loading import load_checkpoint, loading_errors, quiet_libraries
from socialcli.models.processors import ProcessorParts
from socialcli.models.prompts import PromptEncoder, pad_left
from socialcli.models.transformers_internals import take_video_text
from socialcli.models.trial import try_out
from socialcli.video.frames import FrameSet

_TEXT_INPUTS = frozenset({"input_ids", "attention_mask", "mm_token_type_ids"})  # made per prompt, not per clip


class HuggingFaceAdapter(ABC):
    """A loaded model of the transformers library; fulfils `socialcli.models.contract.Adapter`."""

    model_class: ClassVar[type[Any]]
    processor_class: ClassVar[type[Any]]
    # The classes of the processor's parts. Unless both of the first two are set, `processor_class` chooses all three.
    image_processor_class: ClassVar[type[Any] | None] = None
    video_processor_class: ClassVar[type[Any] | None] = None
    tokenizer_class: ClassVar[type[Any]] = AutoTokenizer

    def __init__(
        self,
        spec: ModelSpec,
        model: Any,
        processor: Any,
        frame_fit: str | None = None,
        positions: str | None = None,
        max_pixels: int | None = None,
    ) -> None:
        """Adapt a model and processor that are already in memory. Raises UsageError for a choice the spec lacks."""
        self.spec = spec
        self.model = model.eval()
        self.processor = processor
        cap = self.default_max_pixels() if max_pixels is None else max_pixels
        self.choices = spec.choose(frame_fit, positions, cap)
        self.frame_fit = self.choices.frame_fit
        self.folder: Path | None = None
        self.lora: Path | None = None
        vocabulary = int(model.get_input_embeddings().weight.shape[0])
        self._prompts = PromptEncoder(processor, model.config.get_text_config(), vocabulary)

    @classmethod
    def load(cls, spec: ModelSpec, options: LoadOptions) -> Self:
        """Load a checkpoint from a folder or the hub: safetensors only, none of the checkpoint's own code.

        Raises CheckpointError for a checkpoint that is missing, of another family, incomplete (weights, vocabulary,
        chat template) or unable to compute, and for a LoRA adapter that does not fit it; UsageError for a device or
        dtype that does not exist.
        """
        quiet_libraries()
        with loading_errors(options.checkpoint):
            loaded = load_checkpoint(cls, spec, options)
            choices = options.frame_fit, options.positions, options.max_pixels
            adapter = cls(spec, loaded.model, loaded.processor, *choices)
            adapter._prompts.check_vocabulary(options.checkpoint)
            try_out(adapter, options.checkpoint, forward=options.weights)
        adapter.folder = loaded.folder
        if options.lora is not None and options.weights:
            from socialcli.models.lora import apply_lora  # peft takes a second to import, and few runs need it

            adapter.model = apply_lora(adapter.model, options.lora, options.merge).eval()
            adapter.lora = Path(options.lora)
        return adapter

    @classmethod
    def read_config(cls, folder: Path) -> Any:
        """The configuration of the checkpoint in a local `folder`, an object of transformers."""
        return cls.model_class.config_class.from_pretrained(str(folder))

    @classmethod
    def load_processor(cls, folder: Path, config: Any, checkpoint: str) -> Any:
        """The processor of the checkpoint in a local `folder`; messages name it `checkpoint`."""
        if cls.image_processor_class is None or cls.video_processor_class is None:
            return cls.processor_class.from_pretrained(str(folder), trust_remote_code=False)
        parts = ProcessorParts(
            cls.processor_class,
            cls.image_processor_class,
            cls.video_processor_class,
            cls.tokenizer_class,
            cls.processor_settings(config),
        )
        return parts.load(folder, checkpoint)

    @classmethod
    def processor_settings(cls, config: Any) -> Mapping[str, Any]:
        """Settings of the processor by the model's configuration, used where processor_config.json has none."""
        return {}

    def save(self, folder: Path) -> None:
        """Save model and processor into `folder` as `load` reads them."""
        self.model.save_pretrained(folder)
        self.processor.save_pretrained(folder)

    @property
    @abstractmethod
    def visual_token_id(self) -> int:
        """The token id that stands for one visual token in the model's input sequence."""

    @abstractmethod
    def prepare_frames(self, frames: FrameSet) -> tuple[npt.NDArray[np.uint8], dict[str, Any]]:
        """The frames as the processor takes them, uint8 (frames, height, width, 3), and further keyword arguments."""

    @abstractmethod
    def grid_shape(self, inputs: Mapping[str, Tensor], frames: FrameSet) -> tuple[tuple[tuple[int, ...], ...], Cells]:
        """Which frames each temporal step merges, and the cells of a step, for the clip's processed `inputs`."""

    @property
    def decoder_layers(self) -> Sequence[Any]:
        """The layers of the text decoder, in order."""
        return list(self.model.model.language_model.layers)

    @property
    def layers(self) -> Sequence[Any]:
        """The attention modules of the text decoder, in order."""
        return [layer.self_attn for layer in self.decoder_layers]

    @property
    def device(self) -> torch.device:
        """Where the model's inputs belong: its own device, or the cpu for a model without weights."""
        device: torch.device = self.model.device
        return torch.device("cpu") if device.type == "meta" else device

    def default_max_pixels(self) -> int | None:
        """The cap on a frame's pixels unless `--max-pixels` sets one; None: no cap."""
        return self.spec.max_pixels

    def encode_clip(self, frames: FrameSet) -> EncodedClip:
        """Prepare a clip's frames once for all its questions. The processor must keep every frame.

        Raises VideoError for frames that the processor refuses, such as very long and narrow ones, and ModelError where
        the number of visual tokens is not that of the grid's cells.
        """
        video, arguments = self.prepare_frames(frames)
        try:
            output = self._prompts.process_video(video, arguments)
        except ValueError as error:
            size = f"{frames.width}x{frames.height}"
            raise VideoError(f"{self.spec.name} cannot take frames of {size} pixels: {error}") from error
        replacement = take_video_text(output)
        tokens = int((output["input_ids"] == self.visual_token_id).sum())
        inputs = {name: self._placed(name, value) for name, value in output.items() if name not in _TEXT_INPUTS}
        steps, cells = self.grid_shape(inputs, frames)
        expected = len(steps) * cells.shape[0] * cells.shape[1]
        if tokens != expected:
            raise ModelError(
                f"the processor makes {tokens} visual tokens of {len(frames.frames)} frames, not {expected}"
            )
        return EncodedClip(inputs, replacement, cells, steps)

    def encode_prompt(self, text: str, spans: Sequence[tuple[int, int]], clip: EncodedClip | None) -> EncodedPrompt:
        """Put `text` into the conversation format, tokenize it, and find the tokens of each [start, end) in it.

        Raises PromptError as `PromptEncoder.encode` does.
        """
        return self._prompts.encode(text, spans, clip, self.visual_token_id)

    @property
    def letter_prefix(self) -> str:
        """The text between the prompt and an answer's letter, as the end of the conversation format implies it.

        A family that differs sets a class attribute of this name.
        """
        return self._prompts.letter_prefix

    def continuation_ids(self, text: str) -> tuple[int, ...]:
        """The token ids of `text` directly behind a prompt."""
        return self._prompts.continuation_ids(text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of generated token ids, without special tokens."""
        return self._prompts.decode(ids)

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """The token ids that end an answer."""
        ends = self.model.generation_config.eos_token_id
        if ends is None:
            ends = self.processor.tokenizer.eos_token_id
        return frozenset([ends] if isinstance(ends, int) else ends)

    @property
    def end_id(self) -> int:
        """The tokenizer's own end token if it is one of `end_ids`: conversations end each turn with it."""
        usual = self.processor.tokenizer.eos_token_id
        return int(usual) if usual in self.end_ids else min(self.end_ids)

    def positions(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Tensor:
        """Position ids of the whole prompt, (1, length)."""
        return torch.arange(prompt.length, device=self.device).unsqueeze(0)

    def forward_inputs(self, prompts: Sequence[EncodedPrompt], clip: EncodedClip | None) -> dict[str, Tensor]:
        """The keyword arguments of one forward pass over `prompts` on one clip, padded on the left."""
        ids, mask = pad_left(prompts, self.processor.tokenizer.pad_token_id or 0)
        text = {"input_ids": ids.to(self.device), "attention_mask": mask.to(self.device)}
        visual = clip.inputs if clip is not None else {}
        return text | {name: torch.cat([value] * len(prompts)) for name, value in visual.items()}

    def forward(self, clip: OpenClip, asked: Sequence[AskedQuestion]) -> Any:
        """The model's output for whole prompts of questions on one clip, padded on the left."""
        return self.model(**self.forward_inputs([one.encoded for one in asked], clip.clip))

    def _placed(self, name: str, value: Any) -> Tensor:
        # Only pixels take the model's dtype: a time in bfloat16 would move the positions.
        return torch.as_tensor(value).to(self.device, self.model.dtype if name.startswith("pixel") else None)
