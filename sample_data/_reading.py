"""A decoder learns to read: what a text says of a speaker, and which letter stands for it.

The decoder of a published model has read a world of text before it sees a picture. One that has read nothing does
not learn in hours to look a speaker up, then what is known of the speaker, then the option that says so. So it reads
documents first: a transcript with a word on each speaker, and many questions on it, with a loss at every answer. No
picture, no box and no alignment is in them.

Two things make that quick. The start: heads of the first layer look one to four tokens back, and in the others
keys are like queries and outputs like values, as they are in trained models (Trockman and Kolter, "Mimetic
Initialization of Self-Attention Layers", arXiv 2305.09828). And two heads of the first layer stay open: they look
everywhere alike, with an even score above 0. That is where a bias in proportion to the score finds something to raise.
"""

from __future__ import annotations

import copy
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from _checkpoints import Checkpoint
from torch import Tensor
from torch.nn.functional import cross_entropy

LETTERS = "ABCD"
SIMPLE = ("colour",)  # what is asked: of what colour is a shirt, ...
MIXED = ("colour", "colour", "option", "letter", "letter")  # ... which option is a colour, ... and is a shirt's colour
OPEN = 2  # heads of the first layer that look everywhere
_BACK = 5.0  # size of the attention biases that make a head look back: sharp enough to tell two neighbours apart
_SLOW = 0.005  # radians a token
_EVEN = 6.0  # the score of an open head


@dataclass(frozen=True, slots=True)
class Document:
    """Tokens; the places whose next token is to be learnt, with the kind of question; and hints.

    A hint (place, token) is what the open heads of the first layer are to have found at a place.
    """

    ids: list[int]
    answers: list[tuple[int, int, str]]  # place, next token, kind of question
    hints: list[tuple[int, int]]


@dataclass(slots=True)
class Library:
    """Writes documents about speakers and their shirts, in the words and the chat format of a checkpoint."""

    tokenizer: Any
    head: str  # what stands before a user's text
    tail: str  # what stands behind it, up to the answer
    letter_prefix: str
    end: int  # the token that ends an answer
    colours: Sequence[str]
    sentences: Sequence[str]
    rng: random.Random
    questions: int = 8
    _known: dict[str, list[int]] = field(default_factory=dict)

    def write(self, kinds: Sequence[str], hinted: bool = False, whole: bool = False) -> Document:
        """A document with questions of these kinds.

        `hinted`: hints take the place of the words on the speakers. `whole`: the transcript is as a prompt has it;
        otherwise the people are not listed, and say a few words at most.
        """
        shirts = dict(zip(self.rng.sample("1234", 4), self.rng.sample(list(self.colours), 4), strict=True))
        people = "People in the video: Speaker 1, Speaker 2, Speaker 3, Speaker 4.\n" if whole else ""
        ids: list[int] = self.tokenizer(f"{self.head}{people}Transcript:")["input_ids"]
        hints: list[tuple[int, int]] = []
        for speaker, colour in shirts.items():
            start = len(ids) + 1  # behind the newline
            ids = ids + self._tokens(f"\nSpeaker {speaker}:" if hinted else f"\n {colour} Speaker {speaker}:")
            said = self.rng.choice(self.sentences)
            if not whole:
                said = " ".join(said.rstrip(".!?").split()[: self.rng.randrange(4)])
            ids = ids + self._tokens(f" {said}" if said else "")
            if hinted:
                hints += [(place, self._tokens(f" {colour}")[-1]) for place in range(start, len(ids))]
        answers: list[tuple[int, int, str]] = []
        for _ in range(self.questions):
            kind = self.rng.choice(kinds)
            question, answer = self._question(kind, shirts)
            ids = ids + self._tokens("\n" + question) + self._tokens(self.tail)
            for token in (self._tokens(answer, self.tail)[-1], self.end):
                answers.append((len(ids) - 1, token, kind))
                ids = [*ids, token]
        return Document(ids, answers, hints)

    def _question(self, kind: str, shirts: dict[str, str]) -> tuple[str, str]:
        """Its text, and the answer: a shirt's colour, the letter of a colour, or that of a shirt's colour."""
        speaker = self.rng.choice(list(shirts))
        asked = f"Question: What is the colour of Speaker {speaker}'s shirt?"
        if kind == "colour":
            return asked, f" {shirts[speaker]}"
        options = self.rng.sample(list(shirts.values()), len(shirts))
        listed = "".join(f"\n{letter}. {colour}" for letter, colour in zip(LETTERS, options, strict=True))
        if kind == "option":
            asked = f"Question: {shirts[speaker]}?"
        text = f"{asked}{listed}\nAnswer with the letter of the right option only."
        return text, self.letter_prefix + LETTERS[options.index(shirts[speaker])]

    def _tokens(self, text: str, before: str = "x") -> list[int]:
        """The tokens of a text that follows another one."""
        if text not in self._known:
            ids = [self.tokenizer(one, add_special_tokens=False)["input_ids"] for one in (before, before + text)]
            self._known[text] = ids[1][len(ids[0]) :]
        return self._known[text]


@torch.no_grad()
def start(checkpoint: Checkpoint, seed: int) -> None:
    """Draw the decoder's weights anew, so that it learns to look up quickly."""
    torch.manual_seed(seed)
    decoder, config = checkpoint.model.model.language_model, checkpoint.model.config.text_config
    for name, weight in (*decoder.named_parameters(), *checkpoint.model.lm_head.named_parameters(prefix="lm_head")):
        if "norm" in name:
            continue
        if weight.ndim == 1:
            weight.zero_()
        elif "embed_tokens" in name:
            weight.normal_(0.0, 0.5)
        else:
            weight.normal_(0.0, (0.5 if "down_proj" in name else 1.0) / math.sqrt(weight.shape[1]))
    for layer in decoder.layers:
        attention = layer.self_attn
        attention.q_proj.weight.mul_(1.4)
        attention.k_proj.weight.copy_(attention.q_proj.weight)
        attention.o_proj.weight.copy_(0.7 * attention.v_proj.weight.T)
    first, *others = (layer.self_attn for layer in decoder.layers)
    carried = torch.randn(config.head_dim, config.hidden_size) / math.sqrt(config.hidden_size)
    for head, part in enumerate(_parts(config)):
        _look_back(first, config, part, head + 1)
        first.v_proj.weight[part] = 1.5 * carried
        first.o_proj.weight[:, part] = 1.5 * carried.T
    for attention in others:
        for part, distance in zip(_parts(config), (2, 4), strict=False):
            _look_back(attention, config, part, distance)


def _look_back(attention: Any, config: Any, part: slice, distance: int) -> None:
    """Make a head look so many tokens back: rotary embedding turns these biases into a score with its peak there.

    Slow frequencies count against a score: they hardly tell one token from another, but make all scores low, below 0
    far away, so that a bias in proportion to the largest visual score leaves these heads as they are.
    """
    size = config.head_dim
    frequencies = config.rope_parameters["rope_theta"] ** (-torch.arange(0, size, 2) / size)
    angles = distance * frequencies + math.pi * (frequencies < _SLOW)
    for projection in (attention.q_proj, attention.k_proj):
        projection.weight[part] = 0.1 * torch.randn_like(projection.weight[part]) / math.sqrt(config.hidden_size)
    attention.k_proj.bias[part] = torch.cat([torch.full((size // 2,), _BACK), torch.zeros(size // 2)])
    attention.q_proj.bias[part] = _BACK * torch.cat([torch.cos(angles), -torch.sin(angles)])


@torch.no_grad()
def follow(checkpoint: Checkpoint, reader: Checkpoint) -> None:
    """Begin with what the decoder of another family has learnt, which has the same shape.

    The words that both tokenizers have keep what they mean; the embeddings of others are drawn anew.
    """
    mine, theirs = checkpoint.model, reader.model
    mine.model.language_model.layers.load_state_dict(
        {
            name: weight
            for name, weight in theirs.model.language_model.layers.state_dict().items()
            if not name.endswith("o_proj.bias")
        }
    )
    mine.model.language_model.norm.load_state_dict(theirs.model.language_model.norm.state_dict())
    known = {_plain(token): index for token, index in reader.processor.tokenizer.get_vocab().items()}
    tables = [(one.model.language_model.embed_tokens.weight, one.lm_head.weight) for one in (mine, theirs)]
    for weight, width in zip(tables[0], (0.5, 1.0 / math.sqrt(tables[0][1].shape[1])), strict=True):
        weight.normal_(0.0, width)
    for token, index in checkpoint.processor.tokenizer.get_vocab().items():
        if _plain(token) in known:
            for own, other in zip(*tables, strict=True):
                own[index] = other[known[_plain(token)]]


def _plain(token: str) -> str:
    """A token as it stands in a text, whatever mark a tokenizer has for spaces and newlines."""
    return token.replace("▁", " ").replace("Ġ", " ").replace("Ċ", "\n")


@torch.no_grad()
def open_heads(checkpoint: Checkpoint) -> None:
    """Make the last heads of the first layer look everywhere alike; what they carry is what others there carry."""
    config, attention = checkpoint.model.config.text_config, checkpoint.model.model.language_model.layers[0].self_attn
    parts, slowest = list(_parts(config)), config.head_dim // 2 - 1
    for part, like in zip(parts[-OPEN:], parts[-2 * OPEN : -OPEN], strict=True):
        for projection in (attention.q_proj, attention.k_proj):
            projection.weight[part] = 0.01 * torch.randn_like(projection.weight[part])
            projection.bias[part] = 0.0
            projection.bias[part.start + slowest] = math.sqrt(_EVEN * math.sqrt(config.head_dim))
        attention.v_proj.weight[part] = attention.v_proj.weight[like]
        attention.v_proj.bias[part] = attention.v_proj.bias[like]
        attention.o_proj.weight[:, part] = attention.o_proj.weight[:, like]


@torch.no_grad()
def unheard(checkpoint: Checkpoint) -> Tensor:
    """What says nothing to the open heads, (width,): its values in them are 0. It is as long as a word's embedding."""
    layer, config = checkpoint.model.model.language_model.layers[0], checkpoint.model.config.text_config
    first = list(_parts(config))[-OPEN].start
    values = layer.self_attn.v_proj.weight[first:] * layer.input_layernorm.weight
    directions = torch.linalg.svd(values.float()).Vh
    length = checkpoint.model.get_input_embeddings().weight.norm(dim=-1).mean()
    silent: Tensor = directions[-1] * length
    return silent


@torch.no_grad()
def deepen(checkpoint: Checkpoint, layers: int) -> None:
    """Put layers in front that pass everything on as it is, until something is learnt in them.

    So the first layer that has learnt comes to stand among the middle ones, which are aligned.
    """
    decoder, config = checkpoint.model.model.language_model, checkpoint.model.config.text_config
    front = [copy.deepcopy(decoder.layers[1]) for _ in range(layers)]
    for layer in front:
        for name, weight in layer.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0.0, 1.0 / math.sqrt(weight.shape[1]))
            else:
                weight.fill_(1.0 if "norm" in name else 0.0)
        layer.self_attn.o_proj.weight.zero_()
        layer.mlp.down_proj.weight.zero_()
    decoder.layers = torch.nn.ModuleList([*front, *decoder.layers])
    config.num_hidden_layers = len(decoder.layers)
    if getattr(config, "layer_types", None):
        config.layer_types = [config.layer_types[0]] * len(decoder.layers)
    for index, layer in enumerate(decoder.layers):
        layer.self_attn.layer_idx = index


def learn(
    checkpoint: Checkpoint,
    library: Library,
    steps: int,
    rate: float,
    simple: int = 0,
    hinted: float = 0.0,
    whole: float = 0.0,
) -> None:
    """Learn documents, 24 an update; the first `simple` updates ask simple questions alone.

    `hinted` is the share of documents with hints, `whole` that of those with a whole transcript.
    """
    decoder, head = checkpoint.model.model.language_model, checkpoint.model.lm_head
    attention, config = decoder.layers[0].self_attn, checkpoint.model.config.text_config
    learnt = [*decoder.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(learnt, lr=rate, betas=(0.9, 0.95), weight_decay=0.0)
    hints: list[tuple[int, int, int]] = []
    hook = attention.register_forward_hook(_giving(hints, decoder))
    keep_open = _keeping_open(attention, config) if hinted else lambda: None
    right: dict[str, list[bool]] = {}
    begin = time.monotonic()
    for step, ids, answers, found in _batches(library, steps, simple, hinted, whole):
        hints[:] = found
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, step / 100) * (0.05 + 0.475 * (1 + math.cos(math.pi * step / steps)))
        rows, places, tokens = (torch.tensor([answer[part] for answer in answers]) for part in range(3))
        logits = head(decoder(input_ids=ids, use_cache=False).last_hidden_state[rows, places])
        loss = cross_entropy(logits, tokens)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        keep_open()
        for answer, hit in zip(answers, (logits.argmax(dim=-1) == tokens).tolist(), strict=True):
            if answer[2] != library.end:
                right.setdefault(answer[3], []).append(hit)
        if step % 50 == 0:
            shares = ", ".join(f"{kind} {sum(hits) / len(hits):.3f}" for kind, hits in sorted(right.items()))
            print(
                f"reading {step}: loss {loss.item():.3f}, {shares}, {time.monotonic() - begin:.0f} s", file=sys.stderr
            )
            right.clear()
    hook.remove()


def _batches(
    library: Library, steps: int, simple: int, hinted: float, whole: float
) -> Iterator[tuple[int, Tensor, list[tuple[int, int, int, str]], list[tuple[int, int, int]]]]:
    """Number, token ids (24, L), answers (row, place, token, kind) and hints (row, place, token) of each update."""
    for step in range(1, steps + 1):
        kinds = SIMPLE if step <= simple else MIXED
        documents = [
            library.write(kinds, library.rng.random() < hinted, library.rng.random() < whole) for _ in range(24)
        ]
        length = max(len(one.ids) for one in documents)
        ids = torch.tensor([one.ids + [library.end] * (length - len(one.ids)) for one in documents])
        answers = [(row, *answer) for row, one in enumerate(documents) for answer in one.answers]
        yield step, ids, answers, [(row, *hint) for row, one in enumerate(documents) for hint in one.hints]


def _giving(hints: list[tuple[int, int, int]], decoder: Any) -> Callable[..., Any]:
    """A hook that adds what the open heads would put out if a share of their attention were on the hinted tokens."""
    layer, heads = decoder.layers[0], decoder.config.num_attention_heads

    def give(attention: Any, _: Any, output: Any) -> Any:
        if not hints:
            return output
        rows, places, tokens = torch.tensor(hints).T
        values = attention.v_proj(layer.input_layernorm(decoder.embed_tokens(tokens))).view(len(tokens), heads, -1)
        shares = torch.zeros(len(tokens), heads, 1)
        shares[:, -OPEN:] = 0.3 + 0.7 * torch.rand(len(tokens), 1, 1)
        given = attention.o_proj((values * shares).flatten(1))
        return (output[0].index_put((rows, places), given, accumulate=True), *output[1:])

    return give


def _keeping_open(attention: Any, config: Any) -> Callable[[], None]:
    """Puts the queries and keys of the open heads back to what they are now."""
    first = next(part.start for part in list(_parts(config))[-OPEN:])
    both = (attention.q_proj, attention.k_proj)
    kept = [(weight, weight[first:].detach().clone()) for one in both for weight in (one.weight, one.bias)]

    @torch.no_grad()
    def restore() -> None:
        for weight, before in kept:
            weight[first:] = before

    return restore


def _parts(config: Any) -> Iterator[slice]:
    """The rows of each head in a projection."""
    for head in range(config.num_attention_heads):
        yield slice(head * config.head_dim, (head + 1) * config.head_dim)
