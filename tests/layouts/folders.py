"""A narrow checkpoint as files: the sets of files that were published over the years, in a folder or in a hub cache."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from ..conftest import SAMPLE
from .narrow import Published

SHARDS = 3
_IMAGE_TYPES = {
    "llava-next-video": "LlavaNextImageProcessor",
    "qwen2.5-vl": "Qwen2VLImageProcessor",
    "internvl3": "GotOcr2ImageProcessor",
}
# Names of image processors in older checkpoints, and in ones fine-tuned from these, that transformers 5 does not have.
_OLD_IMAGE_TYPES = {
    "llava-next-video": "LlavaNextVideoImageProcessor",
    "qwen2.5-vl": "Qwen2_5_VLImageProcessor",
    "internvl3": "GotOcr2ImageProcessorFast",
}


@dataclass(frozen=True)
class Layout:
    """Which files there are, and how weights are called in them."""

    processor: str  # "one" file, as transformers 5 writes it, or "separate" ones
    video_config: bool = True  # of separate ones: whether there is video_preprocessor_config.json
    image_types: Mapping[str, str] | None = None  # None: no image_processor_type at all
    published_names: bool = True  # of the weights
    shards: int = SHARDS


LAYOUTS = {
    "new": Layout("one", image_types=_IMAGE_TYPES, published_names=False),
    "old": Layout("separate", image_types=_IMAGE_TYPES),
    "old-one-file": Layout("separate", image_types=_IMAGE_TYPES, shards=1),
    "no-video-config": Layout("separate", video_config=False, image_types=_IMAGE_TYPES),
    "old-class-names": Layout("separate", video_config=False, image_types=_OLD_IMAGE_TYPES),
    "no-class-names": Layout("separate", video_config=False),
}


def write(published: Published, layout: Layout, vocabularies: Mapping[str, Any], folder: Path) -> Path:
    """The checkpoint in `folder`, which is made."""
    folder.mkdir(parents=True)
    _json(folder / "config.json", published.config)
    _json(folder / "generation_config.json", {"_from_model_config": True, "repetition_penalty": 1.05})
    _write_tokenizer(published, layout, vocabularies, folder)
    _write_processor(published, layout, folder)
    _write_weights(published, layout, folder)
    return folder


def _write_tokenizer(published: Published, layout: Layout, vocabularies: Mapping[str, Any], folder: Path) -> None:
    tokenizer = published.tokenizer(vocabularies)
    _json(folder / "tokenizer.json", tokenizer)
    table = {str(token["id"]): {k: v for k, v in token.items() if k != "id"} for token in tokenizer["added_tokens"]}
    old = {"added_tokens_decoder": table, "model_max_length": 131072} if layout.processor == "separate" else {}
    _json(folder / "tokenizer_config.json", {**published.tokens, **old})
    if layout.processor == "separate":
        special = ("bos_token", "eos_token", "pad_token", "unk_token")
        _json(folder / "added_tokens.json", {token["content"]: token["id"] for token in tokenizer["added_tokens"]})
        _json(folder / "special_tokens_map.json", {name: published.tokens[name] for name in special})


def _write_processor(published: Published, layout: Layout, folder: Path) -> None:
    template = published.template or (SAMPLE / "checkpoints" / published.model / "chat_template.jinja").read_text()
    images = {"do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}
    images |= {"do_convert_rgb": True, **published.images}
    if layout.image_types is not None:
        images["image_processor_type"] = layout.image_types[published.model]
    names = ("image_grid_pinpoints", "do_pad", "crop_to_patches", "max_patches", "min_patches", "image_processor_type")
    videos = {name: value for name, value in images.items() if name not in names}
    videos["video_processor_type"] = published.video_type
    if layout.processor == "one":
        nested = {"image_processor": images, "video_processor": videos}
        _json(folder / "processor_config.json", {**published.processor, **nested})
        (folder / "chat_template.jinja").write_text(template)
        return
    _json(folder / "preprocessor_config.json", {**images, "processor_class": published.processor["processor_class"]})
    if layout.video_config:
        _json(folder / "video_preprocessor_config.json", videos)
    if len(published.processor) > 1:  # Qwen publishes no processor_config.json
        _json(folder / "processor_config.json", published.processor)
    _json(folder / "chat_template.json", {"chat_template": template})


def _write_weights(published: Published, layout: Layout, folder: Path) -> None:
    weights = {name: weight.contiguous() for name, weight in published.made().state_dict().items()}
    if published.tied:
        del weights["lm_head.weight"]
    if layout.published_names:
        weights = {published.rename(name): weight for name, weight in weights.items()}
    write_shards(weights, layout.shards, folder)


def write_shards(weights: Mapping[str, torch.Tensor], count: int, folder: Path) -> None:
    """The weights in model.safetensors, or in `count` numbered files and their index."""
    metadata = {"format": "pt"}
    if count == 1:
        save_file(dict(weights), folder / "model.safetensors", metadata)
        return
    index: dict[str, str] = {}
    for shard in range(count):
        file = f"model-{shard + 1:05}-of-{count:05}.safetensors"
        part = {name: weights[name] for at, name in enumerate(sorted(weights)) if at % count == shard}
        save_file(part, folder / file, metadata)
        index |= dict.fromkeys(part, file)
    total = sum(weight.numel() * weight.element_size() for weight in weights.values())
    _json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": index})


def into_cache(folder: Path, cache: Path, hub_id: str, commit: str = "c" * 40, main: bool = True) -> Path:
    """The files of `folder` in a cache as the hub's library lays it out; the snapshot's folder."""
    repository = cache / f"models--{hub_id.replace('/', '--')}"
    snapshot = repository / "snapshots" / commit
    for made in (snapshot, repository / "blobs", repository / "refs"):
        made.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        blob = hashlib.sha256(f"{commit}{file.name}".encode()).hexdigest()
        shutil.copy(file, repository / "blobs" / blob)
        (snapshot / file.name).symlink_to(Path("..", "..", "blobs", blob))
    if main:
        (repository / "refs" / "main").write_text(commit)
    return snapshot


def _json(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
