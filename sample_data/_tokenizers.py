"""Small tokenizers with tokens for words that begin with "▁", and what all of them share: their text and training."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Sequence
from typing import Any

from _dialogues import SCENES
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import GemmaTokenizer, LlamaTokenizer

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

GEMMA_FIRST = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")
GEMMA_STEERING = ("<|think|>", "<|channel>", "<channel|>", "<|tool_response>", "<|turn>", "<turn|>")
GEMMA_SPACES = tuple(space * count for space in "\n▁\t" for count in range(1 + (space == "▁"), 9))
GEMMA_MEDIA = {
    "boi_token": "<|image>",
    "image_token": "<|image|>",
    "eoi_token": "<image|>",
    "boa_token": "<|audio>",
    "audio_token": "<|audio|>",
    "eoa_token": "<audio|>",
    "video_token": "<|video|>",
}

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
    vocab, merges = train(trained, lines, special, letters)
    return LlamaTokenizer(
        vocab=vocab,
        merges=with_letters(vocab, merges, "▁"),
        add_bos_token=True,
        pad_token="<pad>",
        padding_side="left",
        model_max_length=32768,
        extra_special_tokens={"image_token": "<image>", "video_token": "<video>"},
    )


def gemma_tokenizer(corpus: Sequence[str], size: int) -> GemmaTokenizer:
    """A Gemma tokenizer: spaces are "▁", text without a token becomes bytes, and runs of white space are added tokens.

    `size` is the number of tokens before the letters; the 256 bytes are among them.
    """
    trained = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), behavior="isolated")
    letters = "".join(chr(code) for code in range(0x21, 0x7F)) + "▁"
    lines = ["".join(char for char in line if ord(char) < 0x250) for line in corpus]
    first = [*GEMMA_FIRST, *GEMMA_STEERING, *GEMMA_SPACES, *(f"<0x{byte:02X}>" for byte in range(256))]
    vocab, merges = train(trained, lines, first, letters, size)
    merges = with_letters(vocab, merges, "▁")
    vocab |= {token: len(vocab) + index for index, token in enumerate(GEMMA_MEDIA.values())}
    tokenizer = GemmaTokenizer(
        vocab=vocab,
        merges=merges,
        padding_side="left",
        model_max_length=32768,
        extra_special_tokens=GEMMA_MEDIA,
    )
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in GEMMA_STEERING])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in GEMMA_SPACES])
    return tokenizer


def _escaped(phrase: str) -> str:
    return re.escape(phrase.replace(" ", "▁"))


def train(
    tokenizer: Tokenizer, lines: Sequence[str], special: list[str], alphabet: str, size: int = VOCABULARY
) -> tuple[dict[str, int], Merges]:
    """The tokens and merges of a BPE of `size` tokens: `special` first, then the letters of `alphabet`."""
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=list(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [(left, right) for left, right in model["merges"]]


def with_letters(vocab: dict[str, int], merges: Merges, space: str) -> Merges:
    """Make every capital letter after a space one token; added last, these merges change no word."""
    merges = list(merges)
    for letter in string.ascii_uppercase:
        if space + letter not in vocab:
            vocab[space + letter] = len(vocab)
            merges.append((space, letter))
    return merges
