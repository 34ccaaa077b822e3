"""(torch) From a prompt's text to token ids: conversation format, spans of tokens, answers, padded batches."""

from __future__ import annotations

import string
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from socialcli.alignment.grid import VisualGrid
from socialcli.errors import CheckpointError, PromptError
from socialcli.models.checkpoints.context_length import context_limit
from socialcli.models.contract import EncodedClip, EncodedPrompt
from socialcli.models.transformers_internals import WITH_VIDEO_TEXT


class PromptEncoder:
    """A processor of transformers, with the limits of the model that it writes prompts for.

    `text_config` is the text decoder's configuration, `vocabulary` the number of token embeddings of the model.
    """

    def __init__(self, processor: Any, text_config: Any, vocabulary: int) -> None:
        """Take the processor; every call of it from here on is guarded by one lock."""
        self._processor = processor
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
            self._render("?", with_video=True)
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

    def process_video(self, video: npt.NDArray[np.uint8], arguments: Mapping[str, Any]) -> Any:
        """The processor's output for frames, uint8 (frames, height, width, 3), with none dropped, and their text.

        Raises ValueError for frames that the processor refuses.
        """
        with self._lock:
            return self._processor(
                text=[self._processor.video_token],
                videos=[[video]],  # by text: SmolVLM's processor of transformers 5.17 counts the videos of each
                do_sample_frames=False,  # a processor's own sampling would drop frames that the plan counts on
                return_tensors="pt",
                **WITH_VIDEO_TEXT,
                **arguments,
            )

    def encode(
        self, text: str, spans: Sequence[tuple[int, int]], clip: EncodedClip | None, visual_token_id: int
    ) -> EncodedPrompt:
        """Put `text` into the conversation format, tokenize it, and find the tokens of each [start, end) in it.

        Raises PromptError where the text would not reach the model as plain text, exceeds the context length, or
        becomes a token that the model lacks.
        """
        expanded, start = self._expand(self._render(text, clip is not None), text, clip)
        ids, offsets = self._tokenize(expanded)
        self._check_plain(ids, offsets, start, start + len(text))
        self._check_known(ids, visual_token_id)
        self._check_length(ids.size)
        visual = np.flatnonzero(ids == visual_token_id)
        return EncodedPrompt(
            ids=ids,
            token_spans=tuple(_tokens_of(offsets, start + a, start + b) for a, b in spans),
            grid=_grid(visual, clip) if clip is not None else None,
            prefix=int(visual[-1]) + 1 if clip is not None else 0,
        )

    @cached_property
    def letter_prefix(self) -> str:
        """The text between the prompt and an answer's letter: "" or " ".

        A conversation that ends in a line break (ChatML), a space or a control token is answered by the letter at
        once. Behind a word or a mark (`ASSISTANT:`) the answer begins a new word.
        """
        end = self._render("?", with_video=False)
        control = tuple(str(token) for token in self._processor.tokenizer.added_tokens_decoder.values())
        return "" if end != end.rstrip() or end.endswith(control) else " "

    def continuation_ids(self, text: str) -> tuple[int, ...]:
        """The token ids of `text` directly behind a prompt."""
        return self._continuation(text)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of generated token ids, without special tokens."""
        with self._lock:
            text: str = self._processor.tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def _render(self, text: str, with_video: bool) -> str:
        content = [{"type": "video"}] if with_video else []
        message = {"role": "user", "content": [*content, {"type": "text", "text": text}]}
        rendered: str = self._processor.apply_chat_template([message], add_generation_prompt=True, tokenize=False)
        return rendered

    def _expand(self, rendered: str, text: str, clip: EncodedClip | None) -> tuple[str, int]:
        """The rendered conversation with the video's tokens in full, and where `text` starts in it."""
        if rendered.count(text) != 1:
            raise PromptError("the model's chat template does not keep the text of the prompt as it is")
        placeholder = self._processor.video_token
        if rendered.count(placeholder) != (clip is not None):
            raise PromptError(f"the prompt holds the model's own placeholder {placeholder!r}")
        replacement = clip.replacement if clip is not None else ""
        expanded = rendered.replace(placeholder, replacement)
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
        prompt = self._render("?", with_video=False)
        before, _ = self._tokenize(prompt)
        after, _ = self._tokenize(prompt + text)
        if not np.array_equal(after[: before.size], before):
            raise PromptError(f"the tokenizer joins {text!r} to the end of the prompt")
        return tuple(after[before.size :].tolist())

    def _check_plain(self, ids: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64], start: int, end: int) -> None:
        """No part of the user's text may have become a control token."""
        control = self._processor.tokenizer.added_tokens_decoder
        for index in _tokens_of(offsets, start, end):
            if int(ids[index]) in control:
                raise PromptError(
                    f"the text contains {str(control[int(ids[index])])!r}, a control token of this model; remove it"
                )

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


def _tokens_of(offsets: npt.NDArray[np.int64], start: int, end: int) -> npt.NDArray[np.int64]:
    """The tokens that share a character with [start, end), by their `offsets` (length, 2) in the same text."""
    return np.flatnonzero((offsets[:, 0] < end) & (offsets[:, 1] > start))


def _grid(visual: npt.NDArray[np.int64], clip: EncodedClip) -> VisualGrid:
    shape = (len(clip.frames), *clip.cells.shape[:2])
    if visual.size != np.prod(shape):
        raise PromptError(f"the prompt holds {visual.size} visual tokens, the clip has {np.prod(shape)}")
    return VisualGrid(visual.reshape(shape), clip.cells, clip.frames)
