"""(torch) From a prompt's text to token ids: conversation format, spans of tokens, answers, padded batches."""

from __future__ import annotations

import string
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from socialcli.alignment.grid import VisualGrid
from socialcli.errors import CheckpointError, PromptError
from socialcli.models.checkpoints.context_length import context_limit
from socialcli.models.contract import EncodedClip, EncodedPrompt
from socialcli.models.transformers_internals import WITH_VISUAL_TEXTS

_WHITE = string.whitespace + "\N{LOWER ONE EIGHTH BLOCK}"  # which is SentencePiece's space


class Conversation(Protocol):
    """How a family writes a conversation; every `HuggingFaceAdapter` is one."""

    frames_as_images: ClassVar[bool]
    processor: Any  # of transformers

    @property
    def placeholder(self) -> str:
        """The text that stands for the video, or for one frame, before it is expanded."""
        ...

    @property
    def visual_token_id(self) -> int:
        """The token id that stands for one visual token in the model's input sequence."""
        ...

    def render(self, text: str, frames: int) -> str:
        """The conversation with `text`, and with placeholders for a clip of that many frames (0: without video)."""
        ...

    def visual_grid(self, visual: npt.NDArray[np.int64], clip: EncodedClip) -> VisualGrid:
        """The grid of a prompt whose visual tokens have the indices `visual`."""
        ...


class PromptEncoder:
    """Writes prompts in a family's conversation format, within the limits of its model.

    `text_config` is the text decoder's configuration, `vocabulary` the number of token embeddings of the model.
    """

    def __init__(self, conversation: Conversation, text_config: Any, vocabulary: int) -> None:
        """Take the family's processor; every call of it from here on is guarded by one lock."""
        self._conversation = conversation
        self._processor = conversation.processor
        self._text_config = text_config
        self._vocabulary = vocabulary
        self._continuation = lru_cache(maxsize=None)(self._tokenize_continuation)
        # Clips are prepared in threads, and a tokenizer refuses concurrent use.
        self._lock = threading.Lock()

    def check_vocabulary(self, checkpoint: str) -> None:
        """Raise CheckpointError where the chat template or the vocabulary is missing.

        Without its vocabulary a tokenizer still loads, and then encodes every text as nothing.
        """
        try:
            self._conversation.render("?", frames=1)
        except ValueError as error:
            if getattr(self._processor, "chat_template", None):
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

    def process_frames(self, video: npt.NDArray[np.uint8], arguments: Mapping[str, Any]) -> Any:
        """The processor's output for frames, uint8 (frames, height, width, 3), with none dropped, and their texts.

        Raises ValueError for frames that the processor refuses.
        """
        placeholder = self._conversation.placeholder
        visual: dict[str, Any]
        if self._conversation.frames_as_images:
            visual = {"text": [placeholder * len(video)], "images": [list(video)]}
        else:
            # By text: SmolVLM's processor of transformers 5.17 counts the videos of each. A processor's own sampling
            # would drop frames that the plan counts on.
            visual = {"text": [placeholder], "videos": [[video]], "do_sample_frames": False}
        with self._lock:
            return self._processor(**visual, return_tensors="pt", **WITH_VISUAL_TEXTS, **arguments)

    def encode(self, text: str, spans: Sequence[tuple[int, int]], clip: EncodedClip | None) -> EncodedPrompt:
        """Put `text` into the conversation format, tokenize it, and find the tokens of each [start, end) in it.

        Raises PromptError where the text would not reach the model as plain text, exceeds the context length, or
        becomes a token that the model lacks.
        """
        visual_token_id = self._conversation.visual_token_id
        expanded, start = self._expand(text, clip)
        ids, offsets = self._tokenize(expanded)
        self._check_plain(ids, offsets, start, start + len(text))
        self._check_known(ids, visual_token_id)
        self._check_length(ids.size)
        visual = np.flatnonzero(ids == visual_token_id)
        if clip is not None and visual.size != clip.visual_tokens:
            raise PromptError(f"the prompt holds {visual.size} visual tokens, the clip has {clip.visual_tokens}")
        return EncodedPrompt(
            ids=ids,
            token_spans=tuple(_tokens_of(offsets, start + a, start + b) for a, b in spans),
            grid=self._conversation.visual_grid(visual, clip) if clip is not None else None,
            prefix=int(visual[-1]) + 1 if clip is not None else 0,
        )

    @cached_property
    def letter_prefix(self) -> str:
        """The text between the prompt and an answer's letter: "" or " ".

        A conversation that ends in a line break (ChatML), a space or a control token is answered by the letter at
        once. Behind a word or a mark (`ASSISTANT:`) the answer begins a new word.
        """
        end = self._conversation.render("?", frames=0)
        control = tuple(str(token) for token in self._processor.tokenizer.added_tokens_decoder.values())
        return "" if end != end.rstrip() or end.endswith(control) else " "

    def continuation_ids(self, text: str) -> tuple[int, ...]:
        """The token ids of `text` directly behind a prompt."""
        return self._continuation(text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of generated token ids, without special tokens."""
        tokenizer = self._processor.tokenizer
        with self._lock:  # clean-up is for WordPiece: set by Llama 3's checkpoints, it would only log a warning
            text: str = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _expand(self, text: str, clip: EncodedClip | None) -> tuple[str, int]:
        """The conversation with the visual tokens in full, and where `text` starts in it."""
        rendered = self._conversation.render(text, 0 if clip is None else sum(map(len, clip.frames)))
        if rendered.count(text) != 1:
            raise PromptError("the model's chat template does not keep the text of the prompt as it is")
        replacements = () if clip is None else clip.replacements
        parts = rendered.split(self._conversation.placeholder)
        if len(parts) != len(replacements) + 1:
            raise PromptError(f"the prompt holds the model's own placeholder {self._conversation.placeholder!r}")
        expanded = parts[0] + "".join(visual + part for visual, part in zip(replacements, parts[1:], strict=True))
        return expanded, expanded.rindex(text)

    def _tokenize(self, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Token ids (length,) and the [start, end) of each token in the text, (length, 2)."""
        tokenizer = self._processor.tokenizer
        has_bos = tokenizer.bos_token is not None and text.startswith(tokenizer.bos_token)
        with self._lock:
            output = tokenizer(text, add_special_tokens=not has_bos, return_offsets_mapping=True)
        offsets = np.array(output["offset_mapping"], dtype=np.int64).reshape(-1, 2)
        return np.array(output["input_ids"], dtype=np.int64), offsets

    def _tokenize_continuation(self, text: str) -> tuple[int, ...]:
        prompt = self._conversation.render("?", frames=0)
        before, _ = self._tokenize(prompt)
        after, _ = self._tokenize(prompt + text)
        if not np.array_equal(after[: before.size], before):
            raise PromptError(f"the tokenizer joins {text!r} to the end of the prompt")
        return tuple(after[before.size :].tolist())

    def _check_plain(self, ids: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], start: int, end: int) -> None:
        """No part of the user's text may have become a control token."""
        for index in _tokens_of(offsets, start, end):
            if (control := self._control_tokens.get(int(ids[index]))) is not None:
                raise PromptError(f"the text contains {control!r}, a control token of this model; remove it")

    @cached_property
    def _control_tokens(self) -> dict[int, str]:
        """The tokenizer's added tokens by id, without white space: Gemma adds line breaks and runs of spaces."""
        added = self._processor.tokenizer.added_tokens_decoder
        return {number: str(token) for number, token in added.items() if str(token).strip(_WHITE)}

    def _check_known(self, ids: npt.NDArray[np.int64], visual_token_id: int) -> None:
        """On a GPU, a token without an embedding would end the process, not just the question."""
        unknown = ids[(ids >= self._vocabulary) & (ids != visual_token_id)]
        if unknown.size:
            raise PromptError(
                f"the tokenizer makes token {int(unknown[0])} of the prompt, and the model has {self._vocabulary} "
                "tokens; is tokenizer.json the checkpoint's own?"
            )

    def _check_length(self, length: int) -> None:
        limit = context_limit(self._text_config)
        if length > limit:
            raise PromptError(f"the prompt is {length} tokens long, the model takes {limit}; use fewer frames or words")


def pad_left(prompts: Sequence[EncodedPrompt], pad_id: int) -> tuple[Tensor, Tensor]:
    """The token ids of a batch, padded on the left, and the mask of the real ones: int64 (batch, longest) each."""
    longest = max(prompt.length for prompt in prompts)
    ids = np.full((len(prompts), longest), pad_id, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, real, prompt in zip(ids, mask, prompts, strict=True):
        row[longest - prompt.length :], real[longest - prompt.length :] = prompt.ids, 1
    return torch.from_numpy(ids), torch.from_numpy(mask)


def pad_tokens(parts: Sequence[Tensor], longest: int, dim: int, left: bool = True) -> Tensor:
    """A batch of what each prompt has for its tokens along `dim`, padded with 0 to `longest`.

    The prompts follow each other along the dimension before `dim`.
    """
    padded = []
    for part in parts:
        missing = longest - part.shape[dim]
        behind = part.dim() - 1 - dim % part.dim()  # dimensions behind the tokens
        padded.append(torch.nn.functional.pad(part, (0, 0) * behind + ((missing, 0) if left else (0, missing))))
    return torch.cat(padded, dim=dim % parts[0].dim() - 1)


def _tokens_of(offsets: npt.NDArray[np.int64], start: int, end: int) -> npt.NDArray[np.int64]:
    """The tokens that share a character with [start, end), by their `offsets` (length, 2) in the same text."""
    return np.flatnonzero((offsets[:, 0] < end) & (offsets[:, 1] > start))
