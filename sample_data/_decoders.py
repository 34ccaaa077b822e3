"""A decoder's weights: their initialization, heads that stay open for the alignment, and additional first layers.

The initialization makes reading quick to learn: heads of the first layer attend one to six tokens back, and in the
others keys resemble queries and outputs resemble values, as in trained models (Trockman and Kolter, "Mimetic
Initialization of Self-Attention Layers", arXiv 2305.09828). Two heads of the first layer are then opened: they attend
uniformly, with an equal score above 0, so that a bias in proportion to the score has something to raise.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from _shapes import Checkpoint
from torch import Tensor

OPEN = 2  # heads of the first layer that attend uniformly
_BACK = 5.0  # size of the attention biases that make a head attend back: enough to separate two neighbours
_SLOW = 0.005  # radians per token
_EVEN = 6.0  # the score of an open head


@torch.no_grad()
def start(checkpoint: Checkpoint, seed: int) -> None:
    """Reinitialize the decoder's weights so that it quickly learns to look things up."""
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
    carried = _projection(config)
    for head, part in enumerate(_parts(config)):
        _look_back(first, config, part, head + 1)
        _carry(first, part, carried)
    for attention in others:
        for part, distance in zip(_parts(config), (2, 4), strict=False):
            _look_back(attention, config, part, distance)


def _projection(config: Any) -> Tensor:
    return torch.randn(config.head_dim, config.hidden_size) / math.sqrt(config.hidden_size)


def _look_back(attention: Any, config: Any, part: slice, distance: int) -> None:
    """Make a head attend `distance` tokens back: rotary embedding turns these biases into a score with its peak there.

    Slow frequencies lower a score: they hardly distinguish tokens, but make all scores low, and negative far away, so
    that a bias in proportion to the largest visual score leaves these heads unchanged.
    """
    size = config.head_dim
    frequencies = config.rope_parameters["rope_theta"] ** (-torch.arange(0, size, 2) / size)
    angles = distance * frequencies + math.pi * (frequencies < _SLOW)
    for projection in (attention.q_proj, attention.k_proj):
        projection.weight[part] = 0.1 * torch.randn_like(projection.weight[part]) / math.sqrt(config.hidden_size)
    attention.k_proj.bias[part] = torch.cat([torch.full((size // 2,), _BACK), torch.zeros(size // 2)])
    attention.q_proj.bias[part] = _BACK * torch.cat([torch.cos(angles), -torch.sin(angles)])


@torch.no_grad()
def open_heads(checkpoint: Checkpoint) -> None:
    """Make the last heads of the first layer attend uniformly.

    One copies the values of another head, which later layers already use; the other has room for new information.
    """
    config, attention = checkpoint.model.config.text_config, checkpoint.model.model.language_model.layers[0].self_attn
    parts, slowest = list(_parts(config)), config.head_dim // 2 - 1
    for part in parts[-OPEN:]:
        for projection in (attention.q_proj, attention.k_proj):
            projection.weight[part] = 0.01 * torch.randn_like(projection.weight[part])
            projection.bias[part] = 0.0
            projection.bias[part.start + slowest] = math.sqrt(_EVEN * math.sqrt(config.head_dim))
    like, old, new = parts[-OPEN - 1], *parts[-OPEN:]
    attention.v_proj.weight[old] = attention.v_proj.weight[like]
    attention.v_proj.bias[old] = attention.v_proj.bias[like]
    attention.o_proj.weight[:, old] = attention.o_proj.weight[:, like]
    _carry(attention, new, _projection(config))


def _carry(attention: Any, part: slice, carried: Tensor) -> None:
    """Make a head write what it reads: a projection to `carried` (head width, width), and back."""
    attention.v_proj.weight[part] = 1.5 * carried
    attention.v_proj.bias[part] = 0.0
    attention.o_proj.weight[:, part] = 1.5 * carried.T


@torch.no_grad()
def follow(checkpoint: Checkpoint, reader: Checkpoint) -> None:
    """Initialize from another decoder of the same shape.

    Words that both tokenizers have keep their embeddings; the embeddings of others are drawn at random.
    """
    mine, theirs = checkpoint.model, reader.model
    known_here = mine.model.language_model.layers.state_dict().keys()  # not all families have a bias in o_proj
    learnt = theirs.model.language_model.layers.state_dict()
    mine.model.language_model.layers.load_state_dict({name: learnt[name] for name in learnt if name in known_here})
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
    """A token as text, without the tokenizer's marks for spaces and newlines."""
    return token.replace("▁", " ").replace("Ġ", " ").replace("Ċ", "\n")


@torch.no_grad()
def unheard(checkpoint: Checkpoint) -> Tensor:
    """An embedding (width,) that the open heads ignore: its values in them are 0. Its norm is that of a word's."""
    layer, config = checkpoint.model.model.language_model.layers[0], checkpoint.model.config.text_config
    first = list(_parts(config))[-OPEN].start
    values = layer.self_attn.v_proj.weight[first:] * layer.input_layernorm.weight
    directions = torch.linalg.svd(values.float()).Vh
    length = checkpoint.model.get_input_embeddings().weight.norm(dim=-1).mean()
    silent: Tensor = directions[-1] * length
    return silent


@torch.no_grad()
def deepen(checkpoint: Checkpoint, layers: int) -> None:
    """Insert layers at the front that initially pass everything on unchanged.

    This moves the first trained layer among the middle ones, which are aligned.
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


def uncover(model: Any, layers: int) -> None:
    """Remove the layers that `deepen` inserted."""
    decoder = model.model.language_model
    decoder.layers = torch.nn.ModuleList(list(decoder.layers)[layers:])
    model.config.text_config.num_hidden_layers = len(decoder.layers)


def keeping_open(checkpoint: Checkpoint) -> Callable[[], None]:
    """A function that restores the open heads' queries and keys to their current values."""
    attention = checkpoint.model.model.language_model.layers[0].self_attn
    first = list(_parts(checkpoint.model.config.text_config))[-OPEN].start
    kept = [
        (weight, weight[first:].detach().clone())
        for projection in (attention.q_proj, attention.k_proj)
        for weight in (projection.weight, projection.bias)
    ]

    @torch.no_grad()
    def restore() -> None:
        for weight, before in kept:
            weight[first:] = before

    return restore


def _parts(config: Any) -> Iterator[slice]:
    """The rows of each head in a projection."""
    for head in range(config.num_attention_heads):
        yield slice(head * config.head_dim, (head + 1) * config.head_dim)
