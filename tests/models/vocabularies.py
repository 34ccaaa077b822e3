"""(torch) Published vocabularies, which `.ci/vocabularies` fetches, and sample checkpoints that have one of them.

A sample checkpoint's own vocabulary is a toy. Letters, runs of spaces, line ends, emoji and control tokens become other
tokens in the vocabularies that people use.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoTokenizer

from socialcli.api import load_model
from socialcli.video.frames import FrameSet
from tests.conftest import ROOT, SAMPLE, tiny_model

FOLDER = ROOT / "tests" / ".vocabularies"
# The families with the vocabulary that each has as published: Qwen 2, 2.5 and 3 share one. Gemma 4 gets Gemma 3's.
# Control tokens that a family adds come from its sample checkpoint.
PUBLISHED = {
    "llava-next-video": "llama2",
    "qwen2.5-vl": "qwen3",
    "internvl3": "qwen3",
    "qwen3-vl": "qwen3",
    "llama-3.2-vision": "llama3",
    "gemma-4": "gemma3",
}
_NAMED = ("bos_token", "eos_token", "pad_token", "unk_token")


def real_vocabulary(name: str, **settings: Any) -> Any:
    """The published tokenizer `name`; the test is skipped where it has not been fetched."""
    folder = FOLDER / name
    if not (folder / "tokenizer.json").is_file():
        pytest.skip(f"the published vocabulary {name} is not at hand; .ci/vocabularies fetches it")
    tokenizer = AutoTokenizer.from_pretrained(folder, **settings)
    tokenizer.chat_template = None  # of another model: the sample checkpoint has its family's
    return tokenizer


def published_model(family: str) -> Any:
    """A family's sample checkpoint with its published vocabulary, saved, and loaded as a user's would be."""
    sample = tiny_model(family)
    tokenizer = _with_tokens_of(sample.processor.tokenizer, PUBLISHED[family])
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / family
        shutil.copytree(SAMPLE / "checkpoints" / family, folder, ignore=shutil.ignore_patterns("*.safetensors"))
        tokenizer.save_pretrained(folder)
        _with_vocabulary(sample, tokenizer).save_pretrained(folder)
        return load_model(family, folder)


def own_ids(model: Any, *turns: str, frames: FrameSet | None = None) -> list[int]:
    """The processor's own tokens of a conversation: what the user says, with a clip, and what the model answers."""
    messages: list[dict[str, Any]] = [
        {"role": role, "content": [{"type": "text", "text": text}]}
        for role, text in zip(("user", "assistant"), turns, strict=False)
    ]
    arguments: dict[str, Any] = {}
    if frames is not None:
        video, arguments = model.prepare_frames(frames)
        if model.frames_as_images:
            messages[0]["content"][:0] = [{"type": "image", "image": Image.fromarray(frame)} for frame in video]
        else:
            messages[0]["content"].insert(0, {"type": "video", "video": video})
            arguments = {"do_sample_frames": False, **arguments}
    output = model.processor.apply_chat_template(
        messages,
        add_generation_prompt=len(turns) == 1,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs=arguments,
        **model.template_variables,
    )
    ids: list[int] = output["input_ids"][0].tolist()
    return ids


def written(model: Any, ids: np.ndarray) -> str:
    """The text of token ids, control tokens included."""
    return str(model.processor.tokenizer.decode(ids.tolist(), clean_up_tokenization_spaces=False))


def _with_tokens_of(toy: Any, name: str) -> Any:
    """The published tokenizer with the control tokens of the sample's `toy` one that it lacks, and their roles."""
    roles = {key: getattr(toy, key) for key in _NAMED if getattr(toy, key) is not None}
    tokenizer = real_vocabulary(name, **roles, padding_side="left", extra_special_tokens=_extra_roles(toy))
    known = tokenizer.get_vocab()
    tokenizer.add_tokens([token for _, token in sorted(toy.added_tokens_decoder.items()) if str(token) not in known])
    return tokenizer


def _extra_roles(toy: Any) -> dict[str, str]:
    """The family's own names of tokens, such as `image_token`."""
    return {key: token for key, token in toy.special_tokens_map.items() if key not in _NAMED and isinstance(token, str)}


def _with_vocabulary(sample: Any, tokenizer: Any) -> Any:
    """The sample's model for another tokenizer: the same weights, except for new ones of the tokens."""
    config = sample.model.config.to_dict()
    _renumber(config, sample.processor.tokenizer, tokenizer)
    model = type(sample.model)(type(sample.model.config).from_dict(config))
    generation = sample.model.generation_config.to_dict()
    _renumber(generation, sample.processor.tokenizer, tokenizer)
    model.generation_config = type(sample.model.generation_config).from_dict(generation)
    torch.manual_seed(1)
    known = sample.model.state_dict()
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            if known[name].shape == weight.shape:
                weight.copy_(known[name])
            else:  # embeddings of tokens, or the rows that give their logits
                weight.normal_(0.0, 2.0 / math.sqrt(weight.shape[1]) if name == "lm_head.weight" else 1.0)
    return model.to(torch.bfloat16)


def _renumber(settings: dict[str, Any], old: Any, new: Any) -> None:
    """Set the sizes of the vocabulary, and give each token its id in the new one, in place."""
    for key, value in settings.items():
        if key.endswith("_config") and isinstance(value, dict):
            _renumber(value, old, new)
        elif key.startswith("vocab_size"):
            settings[key] = value - len(old) + len(new)
        elif key.endswith(("token_id", "token_index")) and value is not None:
            ids = [new.convert_tokens_to_ids(old.convert_ids_to_tokens(one)) for one in np.atleast_1d(value).tolist()]
            settings[key] = ids if isinstance(value, list) else ids[0]
