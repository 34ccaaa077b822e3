"""(torch) What the adapters of transformers models share: loading, prompts, token spans, padded batches.

A model family says in a small subclass which classes it uses, how its frames are prepared, and where its cells are:
`plugins/` holds three.
"""

from __future__ import annotations

import logging
import string
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from transformers import AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from socialcli.alignment.grid import Cells, VisualGrid
from socialcli.errors import CheckpointError, ModelError, PromptError, UsageError, VideoError
from socialcli.logs import adopt
from socialcli.models.checkpoints.context_length import context_limit
from socialcli.models.checkpoints.files import CheckpointFiles
from socialcli.models.checkpoints.load_errors import explaining, one_line
from socialcli.models.checkpoints.weights import WeightSource
from socialcli.models.contract import AskedQuestion, EncodedClip, EncodedPrompt, LoadOptions, ModelSpec, OpenClip
from socialcli.models.processors import ProcessorParts
from socialcli.models.transformers_internals import WITH_VIDEO_TEXT, take_video_text
from socialcli.models.trial import try_out
from socialcli.video.frames import FrameSet


class HuggingFaceAdapter(ABC):
    """A loaded model of the transformers library; fulfils `socialcli.models.contract.Adapter`."""

    model_class: ClassVar[type[Any]]
    processor_class: ClassVar[type[Any]]
    # The parts of the processor. Where the first two are not named, `processor_class` loads its parts as it sees fit.
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
        """Adapt a model and processor that are already in memory. Raises UsageError for a choice that is not there."""
        self.spec = spec
        self.model = model.eval()
        self.processor = processor
        cap = self.default_max_pixels() if max_pixels is None else max_pixels
        self.choices = spec.choose(frame_fit, positions, cap)
        self.frame_fit = self.choices.frame_fit
        self.folder: Path | None = None
        self.lora: Path | None = None
        self._words = int(model.get_input_embeddings().weight.shape[0])
        self._continuation = lru_cache(maxsize=None)(self._tokenize_continuation)
        # Clips are prepared in threads, and a tokenizer refuses to be used by two at a time.
        self._tokenizing = threading.Lock()

    @classmethod
    def load(cls, spec: ModelSpec, options: LoadOptions) -> Self:
        """Load a checkpoint from a folder or the hub: safetensors only, no code of the checkpoint's own.

        Raises CheckpointError where it cannot be had, or is not of this family, or lacks weights, words or the template
        of conversations, or does not compute, and where a LoRA adapter cannot be put on top of it; UsageError for a
        device or a number format that is not there.
        """
        disable_progress_bar()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its retries; the failure is told once, below
        logging.getLogger("transformers.modeling_utils").addFilter(_is_no_table)
        adopt("transformers")
        device = _device(options.device)
        files = CheckpointFiles(options, spec, cls.model_class.config_class.model_type)
        with _explaining(options.checkpoint):
            folder = files.small()
            config = cls.read_config(folder)
            processor = cls.load_processor(folder, config, options.checkpoint)
            if not options.weights:
                with torch.device("meta"):  # shapes without numbers: no weight is read, no memory taken
                    model = cls.model_class(config).to(_dtype(options.dtype, device))
            else:
                source = WeightSource(cls.model_class, files.with_weights(folder), config, options.checkpoint)
                model = source.load(_dtype(options.dtype, device), device)
            adapter = cls(spec, model, processor, options.frame_fit, options.positions, options.max_pixels)
            adapter._check_words(options.checkpoint)
            try_out(adapter, options.checkpoint, forward=options.weights)
        adapter.folder = folder
        if options.adapter is not None and options.weights:
            adapter._add_lora(options.adapter, options.merge)
        return adapter

    @classmethod
    def read_config(cls, folder: Path) -> Any:
        """The configuration of the checkpoint in a local `folder`, an object of transformers."""
        return cls.model_class.config_class.from_pretrained(str(folder))

    @classmethod
    def load_processor(cls, folder: Path, config: Any, checkpoint: str) -> Any:
        """The processor of the checkpoint in a local `folder`; `checkpoint` is how messages name it."""
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
        """What the model's configuration knows of the processor, for where processor_config.json is silent."""
        return {}

    def _add_lora(self, folder: str, merge: bool) -> None:
        from socialcli.models.lora import apply_lora  # peft: a second, which few runs need

        self.model = apply_lora(self.model, folder, merge).eval()
        self.lora = Path(folder)

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
        """The layers of the text decoder, first one first."""
        return list(self.model.model.language_model.layers)

    @property
    def layers(self) -> Sequence[Any]:
        """The attention modules of the text decoder, first layer first."""
        return [layer.self_attn for layer in self.decoder_layers]

    @property
    def device(self) -> torch.device:
        """Where the model is; of one without weights, the cpu, where its inputs are made."""
        device: torch.device = self.model.device
        return torch.device("cpu") if device.type == "meta" else device

    def default_max_pixels(self) -> int | None:
        """The cap on a frame's pixels where none is asked for; None: frames have no cap."""
        return self.spec.max_pixels

    def encode_clip(self, frames: FrameSet) -> EncodedClip:
        """Prepare a clip's frames once for all its questions. The processor must keep every frame.

        Raises VideoError for frames that the processor refuses, such as very long and narrow ones, and ModelError where
        it makes another number of visual tokens than the grid has cells.
        """
        video, arguments = self.prepare_frames(frames)
        try:
            with self._tokenizing:
                output = self.processor(
                    text=[self.processor.video_token],
                    videos=[video],
                    do_sample_frames=False,  # a processor's own sampling would drop frames that the plan counts on
                    return_tensors="pt",
                    **WITH_VIDEO_TEXT,
                    **arguments,
                )
        except ValueError as error:
            size = f"{frames.width}x{frames.height}"
            raise VideoError(f"{self.spec.name} cannot take frames of {size} pixels: {error}") from error
        replacement = take_video_text(output)
        tokens = int((output["input_ids"] == self.visual_token_id).sum())
        text_inputs = ("input_ids", "attention_mask", "mm_token_type_ids")
        inputs = {name: self._placed(name, value) for name, value in output.items() if name not in text_inputs}
        steps, cells = self.grid_shape(inputs, frames)
        expected = len(steps) * cells.shape[0] * cells.shape[1]
        if tokens != expected:
            raise ModelError(
                f"the processor makes {tokens} visual tokens of {len(frames.frames)} frames, not {expected}"
            )
        return EncodedClip(inputs, replacement, cells, steps)

    def encode_prompt(self, text: str, spans: Sequence[tuple[int, int]], clip: EncodedClip | None) -> EncodedPrompt:
        """Put `text` into the conversation format, tokenize it, and find the tokens of each [start, end) in it.

        Raises PromptError where the text would not reach the model as plain text, or is too long for it, or where the
        tokenizer makes a token of it that the model does not have.
        """
        expanded, start = self._expand(self._render(text, clip is not None), text, clip)
        ids, offsets = self._tokenize(expanded)
        self._check_plain(ids, offsets, start, start + len(text))
        self._check_known(ids)
        visual = np.flatnonzero(ids == self.visual_token_id)
        limit = context_limit(self.model.config.get_text_config())
        if ids.size > limit:
            raise PromptError(
                f"the prompt is {ids.size} tokens long, the model takes {limit}; use fewer frames or words"
            )
        return EncodedPrompt(
            ids=ids,
            token_spans=tuple(tokens_of(offsets, start + a, start + b) for a, b in spans),
            grid=_grid(visual, clip) if clip is not None else None,
            prefix=int(visual[-1]) + 1 if clip is not None else 0,
        )

    @property
    def letter_prefix(self) -> str:
        """What the model says between the prompt and a letter: a space, where the prompt does not end in one.

        A conversation that ends in a line break (ChatML), in a space or in a token that steers the model is answered
        by the letter at once. Behind a word or a mark (`ASSISTANT:`) the answer begins a new word. A family that
        differs sets a class attribute of this name.
        """
        return self._letter_prefix

    @cached_property
    def _letter_prefix(self) -> str:
        end = self._render("?", with_video=False)
        steering = tuple(str(token) for token in self.processor.tokenizer.added_tokens_decoder.values())
        return "" if end != end.rstrip() or end.endswith(steering) else " "

    def continuation_ids(self, text: str) -> tuple[int, ...]:
        """The token ids of `text` when the model says it right after a prompt."""
        return self._continuation(text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of generated token ids, without special tokens."""
        with self._tokenizing:
            text: str = self.processor.tokenizer.decode(ids, skip_special_tokens=True)
        return text

    @cached_property
    def end_ids(self) -> frozenset[int]:
        """The token ids that end an answer."""
        ends = self.model.generation_config.eos_token_id
        if ends is None:
            ends = self.processor.tokenizer.eos_token_id
        return frozenset([ends] if isinstance(ends, int) else ends)

    @property
    def end_id(self) -> int:
        """The tokenizer's own end, where it is one of `end_ids`: in conversations it ends what somebody says."""
        usual = self.processor.tokenizer.eos_token_id
        return int(usual) if usual in self.end_ids else min(self.end_ids)

    def positions(self, prompt: EncodedPrompt, clip: EncodedClip | None) -> Tensor:
        """Position ids of the whole prompt, (1, length)."""
        return torch.arange(prompt.length, device=self.device).unsqueeze(0)

    def forward_inputs(self, prompts: Sequence[EncodedPrompt], clip: EncodedClip | None) -> dict[str, Tensor]:
        """The keyword arguments of one whole forward over `prompts` on one clip, padded on the left."""
        longest = max(prompt.length for prompt in prompts)
        filler = self.processor.tokenizer.pad_token_id or 0
        ids = np.full((len(prompts), longest), filler, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, real, prompt in zip(ids, mask, prompts, strict=True):
            row[longest - prompt.length :], real[longest - prompt.length :] = prompt.ids, 1
        text = {
            "input_ids": torch.from_numpy(ids).to(self.device),
            "attention_mask": torch.from_numpy(mask).to(self.device),
        }
        visual = clip.inputs if clip is not None else {}
        return text | {name: torch.cat([value] * len(prompts)) for name, value in visual.items()}

    def forward(self, clip: OpenClip, asked: Sequence[AskedQuestion]) -> Any:
        """The model's output for whole prompts of questions on one clip, padded on the left."""
        return self.model(**self.forward_inputs([one.encoded for one in asked], clip.clip))

    def _check_words(self, checkpoint: str) -> None:
        """Without its vocabulary a tokenizer still loads, and makes nothing of every text; likewise the template."""
        try:
            self._render("?", with_video=True)
        except ValueError as error:
            if getattr(self.processor, "chat_template", None):
                raise
            raise CheckpointError(
                f"checkpoint {checkpoint!r} has no chat template (chat_template.jinja or chat_template.json), by which "
                "prompts are written; copy the file from the checkpoint that it was made from, or fetch it again"
            ) from error
        ids, _ = self._tokenize(string.ascii_uppercase)
        if string.ascii_uppercase not in self.decode(ids.tolist()):
            raise CheckpointError(
                f"checkpoint {checkpoint!r} has no vocabulary: is its tokenizer.json there? Fetch or convert it again"
            )

    def _render(self, text: str, with_video: bool) -> str:
        content = [{"type": "video"}] if with_video else []
        message = {"role": "user", "content": [*content, {"type": "text", "text": text}]}
        rendered: str = self.processor.apply_chat_template([message], add_generation_prompt=True, tokenize=False)
        return rendered

    def _expand(self, rendered: str, text: str, clip: EncodedClip | None) -> tuple[str, int]:
        """The rendered conversation with the video's tokens in full, and where `text` starts in it."""
        if rendered.count(text) != 1:
            raise PromptError("the model's chat template does not keep the text of the prompt as it is")
        placeholder = self.processor.video_token
        if rendered.count(placeholder) != (clip is not None):
            raise PromptError(f"the prompt holds the model's own placeholder {placeholder!r}")
        replacement = clip.replacement if clip is not None else ""
        expanded = rendered.replace(placeholder, replacement)
        return expanded, expanded.rindex(text)

    def _tokenize(self, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        tokenizer = self.processor.tokenizer
        begins = tokenizer.bos_token is not None and text.startswith(tokenizer.bos_token)
        with self._tokenizing:
            output = tokenizer(text, add_special_tokens=not begins, return_offsets_mapping=True)
        offsets = np.array(output["offset_mapping"], dtype=np.int64).reshape(-1, 2)
        return np.array(output["input_ids"], dtype=np.int64), offsets

    def _tokenize_continuation(self, text: str) -> tuple[int, ...]:
        prompt = self._render("?", with_video=False)
        before, _ = self._tokenize(prompt)
        after, _ = self._tokenize(prompt + text)
        if not np.array_equal(after[: before.size], before):
            raise PromptError(f"the tokenizer joins {text!r} to the end of the prompt")
        return tuple(after[before.size :].tolist())

    def _check_plain(self, ids: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], start: int, end: int) -> None:
        """Nothing in the user's text may have become one of the tokens that steer the model."""
        steering = self.processor.tokenizer.added_tokens_decoder
        for index in tokens_of(offsets, start, end):
            if int(ids[index]) in steering:
                raise PromptError(
                    f"the text contains {str(steering[int(ids[index])])!r}, which steers this model; remove it"
                )

    def _check_known(self, ids: npt.NDArray[np.int64]) -> None:
        """On a GPU, a token without an embedding would end the process and not only the question."""
        unknown = ids[(ids >= self._words) & (ids != self.visual_token_id)]
        if unknown.size:
            raise PromptError(
                f"the tokenizer makes a token {int(unknown[0])} of the prompt, and the model has {self._words} tokens; "
                "is tokenizer.json the checkpoint's own?"
            )

    def _placed(self, name: str, value: Any) -> Tensor:
        # Only pixels take the model's number format: a time in bfloat16 would move the positions.
        return torch.as_tensor(value).to(self.device, self.model.dtype if name.startswith("pixel") else None)


def tokens_of(offsets: npt.NDArray[np.int64], start: int, end: int) -> npt.NDArray[np.int64]:
    """The tokens that share a character with [start, end), by their `offsets` (length, 2) in the same text."""
    return np.flatnonzero((offsets[:, 0] < end) & (offsets[:, 1] > start))


def _grid(visual: npt.NDArray[np.int64], clip: EncodedClip) -> VisualGrid:
    shape = (len(clip.frames), *clip.cells.shape[:2])
    if visual.size != np.prod(shape):
        raise PromptError(f"the prompt holds {visual.size} visual tokens, the clip has {np.prod(shape)}")
    return VisualGrid(visual.reshape(shape), clip.cells, clip.frames)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()  # the meta device can be named, but holds no numbers
    except (RuntimeError, AssertionError, ImportError) as error:
        raise UsageError(f"device {name!r} is not there: {one_line(error)[:200]}") from error
    return device


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise UsageError(f"dtype {name!r} is no number format of weights: write float32, bfloat16 or float16")
    return dtype


def _is_no_table(record: logging.LogRecord) -> bool:
    # transformers' table of missing and misfitting weights: they are told in the one line of the error.
    return "LOAD REPORT" not in record.getMessage()


def _explaining(checkpoint: str) -> AbstractContextManager[None]:
    """Tell of whatever transformers says of a checkpoint that cannot be loaded in one CheckpointError."""
    advice = "Fetch or convert it again: it needs config, processor and safetensors files as transformers saves them"
    return explaining(f"checkpoint {checkpoint!r}", advice)
