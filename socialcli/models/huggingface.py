"""(torch) The base class of adapters for models of the transformers library.

A subclass names the classes of its family, prepares frames, and says where the grid's cells are; those in `plugins/`
are examples, and `docs/plugins.md` lists what a subclass may override.
"""

from __future__ import annotations

import json
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

from socialcli.alignment.grid import Cells, VisualGrid
from socialcli.errors import ModelError, VideoError
from socialcli.models.contract import AskedQuestion, EncodedClip, EncodedPrompt, LoadOptions, ModelSpec, OpenClip
from socialcli.models.loading import load_checkpoint, loading_errors, quiet_libraries
from socialcli.models.processors import ProcessorParts
from socialcli.models.prompts import PromptEncoder, pad_left, pad_tokens
from socialcli.models.text_decoder import TransformersDecoder
from socialcli.models.transformers_internals import take_visual_texts
from socialcli.models.trial import try_out
from socialcli.video.frames import FrameSet

# What a processor makes for each token: made per prompt, not per clip.
_TOKEN_INPUTS = frozenset(
    {"input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids", "cross_attention_mask"}
)


class HuggingFaceAdapter(TransformersDecoder, ABC):
    """A loaded model of the transformers library; fulfils `socialcli.models.contract.Adapter`."""

    model_class: ClassVar[type[Any]]
    further_model_classes: ClassVar[tuple[type[Any], ...]] = ()  # of the same family, such as mixtures of experts
    processor_class: ClassVar[type[Any]]
    frames_as_images: ClassVar[bool] = False  # True: the processor takes images, one for each frame
    template_variables: ClassVar[Mapping[str, Any]] = {}  # of the chat template, such as enable_thinking=False
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
        self._prompts = PromptEncoder(self, model.config.get_text_config(), vocabulary)

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
    def model_types(cls, spec: ModelSpec) -> Sequence[str]:
        """The values of `model_type` in config.json that the family loads: the spec's, or those of its classes."""
        return spec.model_types or [one.config_class.model_type for one in cls._model_classes()]

    @classmethod
    def read_config(cls, folder: Path) -> Any:
        """The configuration of the checkpoint in a local `folder`, an object of transformers."""
        found = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
        same_type = (one for one in cls._model_classes() if one.config_class.model_type == found)
        return next(same_type, cls.model_class).config_class.from_pretrained(str(folder))

    @classmethod
    def class_for(cls, config: Any) -> type[Any]:
        """The model class for a configuration from `read_config`."""
        return next((one for one in cls._model_classes() if type(config) is one.config_class), cls.model_class)

    @classmethod
    def _model_classes(cls) -> tuple[type[Any], ...]:
        return cls.model_class, *cls.further_model_classes

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
    def placeholder(self) -> str:
        """The text that stands for the video in a conversation, or for one frame, before it is expanded."""
        token: str = self.processor.image_token if self.frames_as_images else self.processor.video_token
        return token

    def render(self, text: str, frames: int) -> str:
        """The conversation with `text`, and with placeholders for a clip of that many frames (0: without video)."""
        visual = [{"type": "image"}] * frames if self.frames_as_images else [{"type": "video"}] * bool(frames)
        message = {"role": "user", "content": [*visual, {"type": "text", "text": text}]}
        settings = {"add_generation_prompt": True, "tokenize": False, **self.template_variables}
        rendered: str = self.processor.apply_chat_template([message], **settings)
        return rendered

    def cell_tokens(
        self, inputs: Mapping[str, Tensor], frames: FrameSet, shape: tuple[int, int, int], count: int
    ) -> npt.NDArray[np.int64]:
        """Which of the clip's `count` visual tokens, counted from 0, shows each cell: int64 of `shape`; -1: none does.

        By default they follow each other by step, row and column. Raises ModelError where they do not fit.
        """
        if count != np.prod(shape):
            made = f"the processor makes {count} visual tokens of {len(frames.frames)} frames"
            raise ModelError(f"{made}, not {int(np.prod(shape))}")
        return np.arange(count, dtype=np.int64).reshape(shape)

    def visual_grid(self, visual: npt.NDArray[np.int64], clip: EncodedClip) -> VisualGrid:
        """The grid of a prompt on `clip` whose visual tokens have the indices `visual` (n,), ascending."""
        tokens = np.where(clip.cell_tokens >= 0, visual[clip.cell_tokens], -1)
        return VisualGrid(tokens, clip.cells, clip.frames)

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
        the visual tokens do not fit the grid's cells.
        """
        video, arguments = self.prepare_frames(frames)
        try:
            output = self._prompts.process_frames(video, arguments)
        except ValueError as error:
            size = f"{frames.width}x{frames.height}"
            raise VideoError(f"{self.spec.name} cannot take frames of {size} pixels: {error}") from error
        replacements = take_visual_texts(output, self.placeholder, len(video) if self.frames_as_images else 1)
        tokens = int((output["input_ids"] == self.visual_token_id).sum())
        inputs = {name: self._placed(name, value) for name, value in output.items() if name not in _TOKEN_INPUTS}
        steps, cells = self.grid_shape(inputs, frames)
        shape = len(steps), cells.shape[0], cells.shape[1]
        return EncodedClip(inputs, replacements, cells, steps, tokens, self.cell_tokens(inputs, frames, shape, tokens))

    def encode_prompt(self, text: str, spans: Sequence[tuple[int, int]], clip: EncodedClip | None) -> EncodedPrompt:
        """Put `text` into the conversation format, tokenize it, and find the tokens of each [start, end) in it.

        Raises PromptError as `PromptEncoder.encode` does.
        """
        return self._prompts.encode(text, spans, clip)

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

    def token_inputs(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Mapping[str, Tensor]:
        """What the model's forward takes for each token beside its id and position, (1, length, ...) each: nothing."""
        return {}

    def forward_inputs(self, prompts: Sequence[EncodedPrompt], clip: EncodedClip | None) -> dict[str, Tensor]:
        """The keyword arguments of one forward pass over `prompts` on one clip, padded on the left."""
        ids, mask = pad_left(prompts, self.processor.tokenizer.pad_token_id or 0)
        longest = ids.shape[1]
        by_prompt = [self.token_inputs(prompt, clip) for prompt in prompts]
        visual = clip.inputs if clip is not None else {}
        return {
            "input_ids": ids.to(self.device),
            "attention_mask": mask.to(self.device),
            "position_ids": pad_tokens([self.positions(prompt, clip) for prompt in prompts], longest, dim=-1),
            **{name: pad_tokens([made[name] for made in by_prompt], longest, dim=1) for name in by_prompt[0]},
            **{name: torch.cat([value] * len(prompts)) for name, value in visual.items()},
        }

    def forward(self, clip: OpenClip, asked: Sequence[AskedQuestion]) -> Any:
        """The model's output for whole prompts of questions on one clip, padded on the left."""
        return self.model(**self.forward_inputs([one.encoded for one in asked], clip.clip))

    def _placed(self, name: str, value: Any) -> Tensor:
        # Only pixels take the model's dtype: a time in bfloat16 would move the positions.
        tensor = torch.as_tensor(value)
        pixels = name.startswith("pixel") and tensor.is_floating_point()
        return tensor.to(self.device, self.model.dtype if pixels else None)
