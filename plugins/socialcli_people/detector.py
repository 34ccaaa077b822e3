"""(torch) Object detectors of transformers as a detector of people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from transformers import AutoConfig, AutoImageProcessor, AutoModelForObjectDetection

from socialcli.errors import CheckpointError
from socialcli.models.checkpoints.containment import check_contained
from socialcli.models.checkpoints.files import check_whole
from socialcli.models.loading import quiet_libraries
from socialcli.perception.contract import Detect, Detection, Image, PartOptions, Rectangle

LEAST_SCORE = 0.5
_LABEL = "person"  # of COCO, on which nearly all published detectors are trained
_EXAMPLE = "PekingU/rtdetr_v2_r18vd"


def load(options: PartOptions) -> Detect:
    """The detector in the folder or hub id `options.weights`. Raises CheckpointError; nothing is downloaded."""
    if options.weights is None:
        raise CheckpointError(
            f"the detector people comes without weights: name a folder, or a hub id that is on this machine, such as "
            f"{_EXAMPLE} (--detector-weights)"
        )
    quiet_libraries()
    what = f"detector {options.weights!r}"
    folder = _folder(options.weights, what)
    check_contained(folder, what)
    try:
        check_whole(folder, what)
        model, processor = _loaded(folder, what)
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CheckpointError(
            f"{what} cannot be loaded ({reason}); it needs config.json, preprocessor_config.json and model.safetensors "
            f"of an object detector that transformers knows"
        ) from error
    return PersonDetector(model.to(options.device), processor, _person(model.config.id2label, what)).people


def _folder(weights: str, what: str) -> Path:
    if Path(weights).is_dir():
        return Path(weights)
    try:
        return Path(snapshot_download(weights, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise CheckpointError(
            f"{what}: no such folder, and no such hub id on this machine; nothing is downloaded here: fetch it with "
            f"`hf download {weights}`"
        ) from error


def _loaded(folder: Path, what: str) -> tuple[Any, Any]:
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, **local)
    if getattr(config, "use_pretrained_backbone", False):
        config.use_pretrained_backbone = False  # its weights would be fetched, and then replaced by the checkpoint's
    model, report = AutoModelForObjectDetection.from_pretrained(
        folder, config=config, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **local
    )
    if report["missing_keys"]:
        raise CheckpointError(f"{what}: its weights lack {sorted(report['missing_keys'])[0]!r}; fetch it again")
    return model.eval(), AutoImageProcessor.from_pretrained(folder, **local)


def _person(names: dict[int, str], what: str) -> int:
    """The label of people. Raises CheckpointError where there is none."""
    for label, name in names.items():
        if name.strip().casefold() == _LABEL:
            return int(label)
    known = ", ".join(sorted(names.values())[:5])
    raise CheckpointError(f"{what}: none of its {len(names)} labels is {_LABEL!r} (they are {known} ...)")


class PersonDetector:
    """An object detector and its image processor, of whose labels one means a person."""

    def __init__(self, model: Any, processor: Any, label: int) -> None:
        """Take a loaded model in evaluation mode, its image processor, and the label of people."""
        self._model = model
        self._processor = processor
        self._label = label

    @torch.inference_mode()
    def people(self, frame: Image) -> Sequence[Detection]:
        """The people in a frame, the surest first."""
        height, width = frame.shape[:2]
        inputs = self._processor(images=frame, input_data_format="channels_last", return_tensors="pt")
        outputs = self._model(**inputs.to(self._model.device))
        (found,) = self._processor.post_process_object_detection(
            outputs, threshold=LEAST_SCORE, target_sizes=[(height, width)]
        )
        rows = zip(found["scores"].tolist(), found["labels"].tolist(), found["boxes"].tolist(), strict=True)
        people = [
            Detection(Rectangle(max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))), score)
            for score, label, (x0, y0, x1, y1) in rows
            if label == self._label
        ]
        return sorted((one for one in people if one.box.area > 0), key=lambda one: -one.score)
