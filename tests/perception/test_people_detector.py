"""Tiny detectors with random weights: what they find means nothing, but where, which and how many can be checked."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    DFineConfig,
    DFineForObjectDetection,
    RTDetrImageProcessor,
    RTDetrResNetConfig,
    RTDetrV2Config,
    RTDetrV2ForObjectDetection,
)

from socialcli.errors import CheckpointError
from socialcli.perception.contract import PartOptions
from socialcli.plugins.registry import registry

from .pictures import wall

LABELS = {0: "bicycle", 1: "Person", 2: "hat"}
QUERIES = 12


def backbone() -> RTDetrResNetConfig:
    return RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )


SIZES: dict[str, Any] = {
    "encoder_hidden_dim": 16,
    "encoder_in_channels": [8, 8, 8],
    "encoder_ffn_dim": 16,
    "encoder_attention_heads": 2,
    "d_model": 16,
    "num_queries": QUERIES,
    "decoder_in_channels": [16, 16, 16],
    "decoder_ffn_dim": 16,
    "decoder_layers": 2,
    "decoder_attention_heads": 2,
    "num_denoising": 0,
}

FAMILIES: dict[str, Callable[[], Any]] = {
    "rt_detr_v2": lambda: RTDetrV2ForObjectDetection(
        RTDetrV2Config(backbone_config=backbone(), id2label=LABELS, **SIZES)
    ),
    "d_fine": lambda: DFineForObjectDetection(DFineConfig(backbone_config=backbone(), id2label=LABELS, **SIZES)),
}


def save(folder: Path, family: str, label: int) -> Path:
    """A detector that takes everything for things of this label."""
    torch.manual_seed(0)
    model = FAMILIES[family]().eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "class_embed" in name and name.endswith("bias"):
                value[:] = -9.0
                value[label] = 2.0
    model.save_pretrained(folder)
    RTDetrImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("detector") / request.param, request.param, 1)


def load(weights: object) -> Any:
    return registry().detector("people").item.load(PartOptions(weights=str(weights)))


def test_boxes_of_people_are_in_pixels_of_the_frame_the_surest_first(folder: Path) -> None:
    frame = wall(320, 180, (40, 10, 160))
    found = load(folder)(frame)
    assert len(found) == QUERIES
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True) and min(scores) >= 0.5
    assert all(0 <= one.box.x0 < one.box.x1 <= 320 and 0 <= one.box.y0 < one.box.y1 <= 180 for one in found)
    # The boxes are shares of the frame: in one of another shape with the same content, they stretch with it.
    stretched = load(folder)(np.repeat(frame, 2, axis=1))
    assert [round(one.box.x1 / 2) for one in stretched] == pytest.approx([round(one.box.x1) for one in found], abs=6)


def test_other_labels_are_no_people(folder: Path, tmp_path: Path) -> None:
    family = "d_fine" if "d_fine" in folder.name else "rt_detr_v2"
    assert load(save(tmp_path / "hats", family, 2))(wall(320, 180)) == []


def test_what_cannot_be_loaded_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="comes without weights"):
        registry().detector("people").item.load(PartOptions())
    with pytest.raises(CheckpointError, match="nothing is downloaded here: fetch it with `hf download nobody/nothing`"):
        load("nobody/nothing")
    broken = shutil.copytree(folder, tmp_path / "broken")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"broken.*model\.safetensors is cut short"):
        load(broken)
    weights.unlink()
    (broken / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(CheckpointError, match="broken' cannot be loaded"):
        load(broken)
    nobody = shutil.copytree(folder, tmp_path / "nobody")
    config = nobody / "config.json"
    config.write_text(config.read_text().replace("Person", "dog"))
    with pytest.raises(CheckpointError, match="none of its 3 labels is 'person' \\(they are bicycle, dog, hat"):
        load(nobody)


def test_nothing_is_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load(folder)(wall(320, 180))
    with pytest.raises(CheckpointError, match="no such hub id on this machine"):
        load("PekingU/rtdetr_v2_r18vd")


def test_missing_weights_are_not_made_up(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    part = shutil.copytree(folder, tmp_path / "part")
    tensors = load_file(part / "model.safetensors")
    gone = next(name for name in tensors if "enc_score_head" in name and name.endswith("weight"))
    del tensors[gone]
    save_file(tensors, part / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"its weights lack 'model\.enc_score_head"):
        load(part)
