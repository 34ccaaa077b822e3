"""Small tokenizers of the three families, trained on the lines that they will read."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Sequence
from typing import Any

from _dialogues import SCENES
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import LlamaTokenizer, Qwen2Tokenizer
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

PIECES = r"▁?\p{L}+|\p{N}|▁?[^\p{L}\p{N}▁]+|▁"  # words, digits and punctuation separate, as in SentencePiece
VOCABULARY = 1280  # tokens before the letters and the special ones

PROSE = """
The video shows some people who talk to each other. Each of them is marked by a box on the frames.
Watch the video, read the transcript and answer the question about it with one letter.
Question: whom is the last utterance of Speaker 1 addressed to? Answer with the letter of the right candidate.
Question: whom does the pronoun in this utterance mean? The candidates are the speakers of the clip.
Question: which person is named in the utterance? The name is masked. The transcript follows from 0.0 to 6.0 seconds.
Speaker 1: Good morning! Speaker 2: Hello, how are you? Speaker 3: Fine, thank you. Speaker 4: Nice to see you again.
Speaker 5: Where were you yesterday? Unknown: They are waiting outside. Someone called you this morning.
USER: ASSISTANT: system user assistant You are a helpful assistant. The answer is A. The answer is B.
The woman on the left wears a red shirt, and the man in the middle wears a blue one. The girl on the right has red hair.
She gave it to him, he gave it to her, and they gave it back to us. I know that you know what we said about them.
What did she say? Why did he leave? When will they come back? Where is it? Who was that? How many people are there?
"""

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

Merges = list[Any]  # of pairs of tokens


def corpus() -> list[str]:
    """The lines of the sample's own dialogues, and a little prose."""
    lines = [line for line in PROSE.splitlines() if line]
    for scene in SCENES:
        lines += [line.text for line in scene.lines]
        for ask in scene.asks:
            lines += [ask.text or "", *ask.candidates]
    return [line for line in lines if line]


def llava_tokenizer(corpus: Sequence[str], phrases: Sequence[str] = ()) -> LlamaTokenizer:
    """A Llama tokenizer: words begin with "▁", and text without a token is encoded as bytes.

    `phrases` can become tokens like words do, if they are frequent in the corpus.
    """
    trained = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="always", split=False),
            pre_tokenizers.Split(Regex("|".join([*map(_escaped, phrases), PIECES])), behavior="isolated"),
        ]
    )
    letters = "".join(chr(code) for code in range(0x21, 0x7F)) + "▁"
    lines = ["".join(char for char in line if ord(char) < 0x250) for line in corpus]
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocab, merges = _train(trained, lines, special, letters)
    return LlamaTokenizer(
        vocab=vocab,
        merges=_with_letters(vocab, merges, "▁"),
        add_bos_token=True,
        pad_token="<pad>",
        padding_side="left",
        model_max_length=32768,
        extra_special_tokens={"image_token": "<image>", "video_token": "<video>"},
    )


def qwen_tokenizer(corpus: Sequence[str]) -> Qwen2Tokenizer:
    """A Qwen2 tokenizer with the special tokens of Qwen2.5-VL, in its order."""
    return _byte_level(corpus, QWEN_SPECIAL, {})


def internvl_tokenizer(corpus: Sequence[str]) -> Qwen2Tokenizer:
    """A Qwen2 tokenizer with the special tokens of InternVL3 after those of Qwen."""
    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    return _byte_level(corpus, (*QWEN_SPECIAL, *INTERNVL_SPECIAL), named)


def _byte_level(corpus: Sequence[str], special: Sequence[str], named: dict[str, str]) -> Qwen2Tokenizer:
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.NFC()
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    vocab, merges = _train(trained, corpus, [], "".join(sorted(pre_tokenizers.ByteLevel.alphabet())))
    merges = _with_letters(vocab, merges, "Ġ")
    vocab |= {token: len(vocab) + index for index, token in enumerate(special)}
    tokenizer = Qwen2Tokenizer(
        vocab=vocab,
        merges=merges,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        model_max_length=32768,
        extra_special_tokens=named,
    )
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def _escaped(phrase: str) -> str:
    return re.escape(phrase.replace(" ", "▁"))


def _train(
    tokenizer: Tokenizer, lines: Sequence[str], special: list[str], alphabet: str
) -> tuple[dict[str, int], Merges]:
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=list(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [(left, right) for left, right in model["merges"]]


def _with_letters(vocab: dict[str, int], merges: Merges, space: str) -> Merges:
    """Make every capital letter after a space one token; added last, these merges change no word."""
    merges = list(merges)
    for letter in string.ascii_uppercase:
        if space + letter not in vocab:
            vocab[space + letter] = len(vocab)
            merges.append((space, letter))
    return merges
