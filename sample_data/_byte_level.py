"""Small byte-level tokenizers, trained on the lines that they will read, each with its family's special tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from _tokenizers import VOCABULARY, Merges, train, with_letters
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer, Qwen3_5Tokenizer
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX as QWEN2_PIECES
from transformers.models.qwen3_5.tokenization_qwen3_5 import PRETOKENIZE_REGEX as QWEN3_5_PIECES

# Words with the space before them, contractions, up to three digits, punctuation, white space.
LLAMA3_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
SMOLLM_PIECES = r"\p{N}|'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"

QWEN_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
INTERNVL_SPECIAL = (
    "<img>",
    "</img>",
    "<IMG_CONTEXT>",
    "<quad>",
    "</quad>",
    "<ref>",
    "</ref>",
    "<box>",
    "</box>",
    "<video>",
)
QWEN3_SPECIAL = (*QWEN_SPECIAL, "<tool_call>", "</tool_call>", "<think>", "</think>")
ONEVISION_SPECIAL = (*QWEN_SPECIAL[:3], "<image>", "<video>")
SMOLLM_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
SMOLVLM_SPECIAL = (
    "<global-img>",
    *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)),
    "<fake_token_around_image>",
    "<image>",
    "<end_of_utterance>",
)
LLAMA3_SPECIAL = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|finetune_right_pad_id|>",
    "<|step_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    "<|eot_id|>",
    "<|python_tag|>",
    "<|image|>",  # last: it has no logit, so the number of logits is its id
)


def qwen_tokenizer(corpus: Sequence[str], size: int = VOCABULARY) -> Any:
    """A Qwen2 tokenizer with the special tokens of Qwen2-VL and Qwen2.5-VL, in their order."""
    return _qwen(Qwen2Tokenizer, corpus, QWEN_SPECIAL, size=size)


def qwen3_tokenizer(corpus: Sequence[str], size: int) -> Any:
    """A Qwen2 tokenizer with the special tokens of Qwen3-VL."""
    return _qwen(Qwen2Tokenizer, corpus, QWEN3_SPECIAL, size=size)


def qwen3_5_tokenizer(corpus: Sequence[str], size: int) -> Any:
    """A Qwen3.5 tokenizer: marks belong to the letters that they stand on."""
    return _qwen(Qwen3_5Tokenizer, corpus, QWEN3_SPECIAL, pieces=QWEN3_5_PIECES, size=size)


def onevision_tokenizer(corpus: Sequence[str], size: int) -> Any:
    """A Qwen2 tokenizer with the special tokens of LLaVA-OneVision."""
    named = {"image_token": "<image>", "video_token": "<video>"}
    return _qwen(Qwen2Tokenizer, corpus, ONEVISION_SPECIAL, named, size=size)


def internvl_tokenizer(corpus: Sequence[str]) -> Any:
    """A Qwen2 tokenizer with the special tokens of InternVL3 after those of Qwen."""
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    return _qwen(Qwen2Tokenizer, corpus, (*QWEN_SPECIAL, *INTERNVL_SPECIAL), named)


def smolvlm_tokenizer(corpus: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """A tokenizer of SmolVLM2: digits are tokens of their own; the first special tokens have the first ids."""
    vocab, merges = _vocabulary(corpus, SMOLLM_PIECES, size, first=SMOLLM_SPECIAL)
    backend = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    special = (*SMOLLM_SPECIAL, *SMOLVLM_SPECIAL)
    return _fast(backend, special, "<|im_start|>", "<end_of_utterance>", "<|im_end|>")


def llama3_tokenizer(corpus: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """A Llama 3 tokenizer: a piece that is a token is not split, and every text begins with `<|begin_of_text|>`."""
    vocab, merges = _vocabulary(corpus, LLAMA3_PIECES, size)
    backend = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=True))
    backend.pre_tokenizer = _splitting(LLAMA3_PIECES)
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in LLAMA3_SPECIAL])
    begin = LLAMA3_SPECIAL[0]
    backend.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, backend.token_to_id(begin))]
    )
    return _fast(backend, LLAMA3_SPECIAL, begin, "<|eot_id|>", "<|finetune_right_pad_id|>")


def _qwen(
    kind: Any,
    corpus: Sequence[str],
    special: Sequence[str],
    named: dict[str, str] | None = None,
    pieces: str = QWEN2_PIECES,
    size: int = VOCABULARY,
) -> Any:
    """A tokenizer of a Qwen class whose `special` tokens follow its words; `named` gives some of them attributes."""
    vocab, merges = _vocabulary(corpus, pieces, size, normalizers.NFC())
    vocab |= {token: len(vocab) + index for index, token in enumerate(special)}
    tokenizer = kind(
        vocab=vocab,
        merges=merges,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        model_max_length=32768,
        extra_special_tokens=named or {},
    )
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def _fast(backend: Tokenizer, special: Sequence[str], begin: str, end: str, pad: str) -> PreTrainedTokenizerFast:
    """A tokenizer without a class of its own around `backend`."""
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=begin,
        eos_token=end,
        pad_token=pad,
        padding_side="left",
        model_max_length=32768,
        model_input_names=["input_ids", "attention_mask"],
    )


def _vocabulary(
    lines: Sequence[str], pieces: str, size: int, normalizer: Any = None, first: Sequence[str] = ()
) -> tuple[dict[str, int], Merges]:
    """The tokens of a byte-level BPE and its merges, which lie within the pieces of a regular expression.

    `size` is the number of tokens before the letters; `first` are special tokens that have the first ids.
    """
    trained = Tokenizer(models.BPE())
    if normalizer is not None:
        trained.normalizer = normalizer
    trained.pre_tokenizer = _splitting(pieces)
    letters = "".join(sorted(pre_tokenizers.ByteLevel.alphabet()))
    vocab, merges = train(trained, lines, list(first), letters, size)
    return vocab, with_letters(vocab, merges, "Ġ")


def _splitting(pieces: str) -> Any:
    """Split text by a regular expression, then into bytes."""
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pieces), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
