"""InternVL3's output matrix: tied or not as the checkpoint was saved, and never another one than was trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from socialcli.api import load_model
from socialcli.errors import CheckpointError

from ..conftest import SAMPLE
from .folders import write_shards

HEAD = "lm_head.weight"


def saved(folder: Path, outer: bool | None, inner: bool | None, head: bool, shards: int = 1) -> Path:
    """The sample checkpoint with these values of tie_word_embeddings (None: silent), with its output matrix or not."""
    shutil.copytree(SAMPLE / "checkpoints" / "internvl3", folder)
    config = json.loads((folder / "config.json").read_text())
    for fields, value in ((config, outer), (config["text_config"], inner)):
        fields.pop("tie_word_embeddings", None)
        if value is not None:
            fields["tie_word_embeddings"] = value
    (folder / "config.json").write_text(json.dumps(config))
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    if not head:
        weights = {name: weight for name, weight in weights.items() if not name.endswith(HEAD)}
    write_shards(weights, shards, folder)
    return folder


def words(model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return model.model.get_input_embeddings().weight, model.model.get_output_embeddings().weight


@pytest.mark.parametrize(("outer", "inner"), [(False, None), (None, False), (None, None), (False, True)])
@pytest.mark.parametrize("shards", [1, 3])
def test_an_output_matrix_of_its_own_is_loaded(
    tmp_path: Path, outer: bool | None, inner: bool | None, shards: int
) -> None:
    model = load_model("internvl3", saved(tmp_path / "checkpoint", outer, inner, head=True, shards=shards))
    read, said = words(model)
    assert not model.model.config.tie_word_embeddings
    assert not torch.equal(read, said)


@pytest.mark.parametrize(("outer", "inner"), [(True, None), (None, True), (None, None), (True, False)])
@pytest.mark.parametrize("shards", [1, 3])
def test_a_tied_checkpoint_needs_none(tmp_path: Path, outer: bool | None, inner: bool | None, shards: int) -> None:
    model = load_model("internvl3", saved(tmp_path / "checkpoint", outer, inner, head=False, shards=shards))
    read, said = words(model)
    assert read.data_ptr() == said.data_ptr()


@pytest.mark.parametrize(("outer", "inner"), [(False, None), (None, False), (False, True)])
def test_an_untied_checkpoint_that_has_lost_it_is_refused(
    tmp_path: Path, outer: bool | None, inner: bool | None
) -> None:
    with pytest.raises(CheckpointError, match=r"lacks 1 of the model's weights, 'lm_head\.weight' first"):
        load_model("internvl3", saved(tmp_path / "checkpoint", outer, inner, head=False))
