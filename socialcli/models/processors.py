"""A processor assembled from parts, each loaded by a class that the adapter names.

`AutoProcessor` guesses the classes of the parts from names in a checkpoint's files, and guesses wrong for many
published ones: without `video_preprocessor_config.json` it takes LLaVA-NeXT-Video's video processor for the whole
processor, which loads its video processor, and so on without end; class names of older versions of transformers
(`Qwen2_5_VLImageProcessor`, `LlavaNextVideoImageProcessor`) no longer exist. Here the adapter fixes the classes, and
the files supply only their settings.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from socialcli.errors import CheckpointError

IMAGES, VIDEOS = "preprocessor_config.json", "video_preprocessor_config.json"

# Settings that images and videos share in every family: if one part's file is missing, the other's is used.
_SHARED = frozenset(
    {
        *("do_convert_rgb", "do_resize", "size", "resample", "do_center_crop", "crop_size", "max_image_size"),
        *("do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std"),
        *("min_pixels", "max_pixels", "patch_size", "temporal_patch_size", "merge_size"),
    }
)
_NAMES = frozenset({"image_processor_type", "video_processor_type", "feature_extractor_type", "processor_class"})


@dataclass(frozen=True, slots=True)
class ProcessorParts:
    """The classes (of transformers) of a processor and of its parts.

    `settings` are defaults of the processor itself; the checkpoint's processor_config.json overrides them.
    """

    processor: type[Any]
    image_processor: type[Any]
    video_processor: type[Any]
    tokenizer: type[Any]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def load(self, folder: Path, checkpoint: str) -> Any:
        """The processor of a checkpoint in a local `folder`. None of the checkpoint's own code is run.

        Raises CheckpointError for a checkpoint without settings for frames. Errors of transformers pass through.
        """
        saved, _ = self.processor.get_processor_dict(str(folder))  # processor_config.json and the chat template
        images, videos = _frame_settings(folder, saved, checkpoint)
        tokenizer = self.tokenizer.from_pretrained(str(folder), trust_remote_code=False)
        parts = {
            "image_processor": self.image_processor.from_dict(images),
            "video_processor": self.video_processor.from_dict(videos),
            "tokenizer": tokenizer,
            "chat_template": saved.get("chat_template") or tokenizer.chat_template,
        }
        known = inspect.signature(self.processor.__init__).parameters.keys() - parts.keys()
        settings = {name: value for name, value in saved.items() if name in known and value is not None}
        return self.processor(**parts, **{**self.settings, **settings})


def _frame_settings(folder: Path, saved: Mapping[str, Any], checkpoint: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of the image and of the video processor; a missing one takes the shared settings of the other."""
    images = _part(saved.get("image_processor"), folder / IMAGES)
    videos = _part(saved.get("video_processor"), folder / VIDEOS)
    if images is None and videos is None:
        raise CheckpointError(
            f"checkpoint {checkpoint!r} does not say how its processor prepares frames, in {IMAGES} or in "
            "processor_config.json; fetch or convert it again"
        )
    return images or _shared(videos), videos or _shared(images)


def _part(nested: object, file: Path) -> dict[str, Any] | None:
    """The settings of a part: nested in processor_config.json, as transformers 5 writes them, or in its own file."""
    if not isinstance(nested, dict):
        if not file.is_file():
            return None
        nested = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(nested, dict):
            raise CheckpointError(f"{file}: is not a JSON object; fetch or convert the checkpoint again")
    return {name: value for name, value in nested.items() if name not in _NAMES and name != "auto_map"}


def _shared(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (settings or {}).items() if name in _SHARED}
