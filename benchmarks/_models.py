"""The three model families with random weights: real classes, real processors, published preprocessing.

"7b" has the shapes of the published checkpoints and is created on the device, without a download. "small" is one that
two CPU cores run in seconds: a decoder of 14 layers, 512 wide, under a vision tower that does about the same share of
the work as the published one (in operations, of 8 frames of 640x360: LLaVA-NeXT-Video 20 %, Qwen2.5-VL 40 %, InternVL3
20 % of what the decoder does on the visual tokens). "tiny" is for trying a script.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from _device import device_arguments, made_as

from socialcli.models.contract import Adapter, LoadOptions, ModelSpec
from socialcli.plugins.registry import Provided, Registry

FAMILIES = ("llava-next-video", "qwen2.5-vl", "internvl3")
PROCESSORS = Path(__file__).resolve().parents[1] / "sample_data" / "checkpoints"


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model, which replace those of the sample checkpoint."""

    text: Mapping[str, Any]
    vision: Mapping[str, Any]


def text_sizes(hidden: int, inner: int, layers: int, heads: int, kv_heads: int, **more: Any) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": hidden // heads,
        **more,
    }


def _tower(hidden: int, inner: int, layers: int, heads: int) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
    }


def _windowed_tower(hidden: int, inner: int, layers: int, heads: int, out: int, full: list[int]) -> dict[str, Any]:
    """Qwen's tower: attention within windows of 112 pixels, except in the layers `full`."""
    sizes = {"hidden_size": hidden, "intermediate_size": inner, "depth": layers, "num_heads": heads}
    return {**sizes, "out_hidden_size": out, "fullatt_block_indexes": full}


def _rope(*sections: int) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": list(sections)}}


SHAPES: dict[str, dict[str, Shape]] = {
    "tiny": {family: Shape({}, {}) for family in FAMILIES},
    "small": {
        "llava-next-video": Shape(text_sizes(512, 1376, 14, 8, 8), _tower(128, 512, 8, 2)),
        "qwen2.5-vl": Shape(
            text_sizes(512, 1376, 14, 8, 2, **_rope(8, 12, 12)), _windowed_tower(160, 428, 12, 2, 512, full=[5, 11])
        ),
        "internvl3": Shape(text_sizes(512, 1376, 14, 8, 2), _tower(128, 512, 6, 2)),
    },
    "7b": {
        "llava-next-video": Shape(text_sizes(4096, 11008, 32, 32, 32, vocab_size=32064), _tower(1024, 4096, 24, 16)),
        "qwen2.5-vl": Shape(
            text_sizes(3584, 18944, 28, 28, 4, vocab_size=152064, **_rope(16, 24, 24)),
            _windowed_tower(1280, 3420, 32, 16, 3584, full=[7, 15, 23, 31]),
        ),
        "internvl3": Shape(text_sizes(3584, 18944, 28, 28, 4, vocab_size=151674), _tower(1024, 4096, 24, 16)),
    },
}


def build(family: str, shape: str, device: str, dtype: torch.dtype) -> Any:
    """An adapter of a model of one of `SHAPES` that is created directly on its device."""
    return build_with(family, SHAPES[shape][family], device, dtype)


def build_with(family: str, shape: Shape, device: str, dtype: torch.dtype) -> Any:
    """An adapter of a model of any shape that is created directly on its device."""
    gc.collect()  # an adapter refers to itself: without this, the one before might still fill a GPU
    sample: Any = Registry().model(family).item.load(LoadOptions(str(PROCESSORS / family), weights=False))
    config = _resized(sample.model.config, shape)
    torch.manual_seed(0)
    with made_as(device, dtype):
        model = type(sample.model)(config)
    return type(sample)(sample.spec, model.requires_grad_(False), sample.processor, **asdict(sample.choices))


def _resized(config: Any, shape: Shape) -> Any:
    """`config` with other sizes. What has an entry per layer is dropped, to be created anew."""
    text, vision = config.text_config.to_dict(), config.vision_config.to_dict()
    for by_layer in ("layer_types", "per_layer_config"):
        text.pop(by_layer, None)
    return type(config)(
        **{**config.to_dict(), "text_config": {**text, **shape.text}, "vision_config": {**vision, **shape.vision}}
    )


class BuiltModel(Registry):
    """The installed plug-ins with one model already loaded, so that a run gets it at once and reads no file."""

    def __init__(self, adapter: Adapter) -> None:
        """Provide `adapter` under its family's name."""
        super().__init__()
        self.adapter = adapter

    def models(self) -> Mapping[str, Provided[ModelSpec]]:
        """The models; loading the built one returns it."""
        models = dict(super().models())
        name = self.adapter.spec.name
        models[name] = replace(models[name], item=replace(models[name].item, load=lambda options: self.adapter))
        return models


def model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the models, their size and their device."""
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=FAMILIES, help="model families (default: all)")
    parser.add_argument("--shape", choices=SHAPES, default="small", help="sizes of the models (default: %(default)s)")
    device_arguments(parser)
