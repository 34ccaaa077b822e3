"""Checkpoints and LoRA adapters that would have files opened elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from socialcli.api import load_model
from socialcli.errors import CheckpointError
from socialcli.models.checkpoints.containment import check_contained
from socialcli.models.checkpoints.lora_files import read_lora

from ..conftest import SAMPLE

FAMILY = "internvl3"
Change = Callable[[Path], object]
AUDIO = {"audio_tokenizer_name_or_path": "a/b"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint's folder; what is beside it is no part of it."""
    return Path(shutil.copytree(SAMPLE / "checkpoints" / FAMILY, tmp_path / "checkpoint"))


def moved_out(name: str) -> Change:
    """The file is a link to one that is the same, but stands outside."""

    def change(folder: Path) -> None:
        (folder / name).rename(folder.parent / f"other-{name}")
        (folder / name).symlink_to(folder.parent / f"other-{name}")

    return change


def through_a_chain(folder: Path) -> None:
    (folder / "config.json").rename(folder.parent / "real.json")
    (folder / "step.txt").symlink_to(folder.parent / "real.json")
    (folder / "config.json").symlink_to("step.txt")


def templates_elsewhere(folder: Path) -> None:
    (folder.parent / "templates").mkdir()
    (folder / "additional_chat_templates").symlink_to(folder.parent / "templates")


def template_elsewhere(folder: Path) -> None:
    (folder / "additional_chat_templates").mkdir()
    (folder.parent / "other.jinja").write_text("{{ messages }}")
    (folder / "additional_chat_templates" / "tool.jinja").symlink_to(folder.parent / "other.jinja")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (moved_out("config.json"), "its config.json is a symbolic link out of its folder, to "),
        (moved_out("model.safetensors"), "its model.safetensors is a symbolic link"),
        (moved_out("chat_template.jinja"), "its chat_template.jinja is a symbolic link"),
        (through_a_chain, "its config.json is a symbolic link"),
        (templates_elsewhere, "its additional_chat_templates is a symbolic link"),
        (template_elsewhere, "its tool.jinja is a symbolic link"),
    ],
)
def test_a_link_out_of_the_folder_is_refused(folder: Path, change: Change, reason: str) -> None:
    change(folder)
    with pytest.raises(CheckpointError, match=reason):
        load_model(FAMILY, folder)


def test_links_inside_the_folder_and_other_files_are_nobodys_business(folder: Path) -> None:
    (folder / "config.json").rename(folder / "config-2.json")
    (folder / "config.json").symlink_to("config-2.json")
    (folder.parent / "runs").mkdir()
    (folder / "runs").symlink_to(folder.parent / "runs")
    (folder / "README.md").symlink_to(folder.parent / "nowhere")
    (folder / "round.json").symlink_to("round.json")
    check_contained(folder, "checkpoint")
    assert load_model(FAMILY, folder).folder == folder


def named(name: str, fields: dict[str, Any]) -> Change:
    """A configuration with more fields than it had."""

    def change(folder: Path) -> None:
        file = folder / name
        found = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**found, **fields}))

    return change


def shards(*names: str) -> Change:
    def change(folder: Path) -> None:
        (folder / "model.safetensors").rename(folder.parent / "elsewhere.safetensors")
        weights = {f"weight.{index}": name for index, name in enumerate(names)}
        named("model.safetensors.index.json", {"metadata": {}, "weight_map": weights})(folder)

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (shards("a.safetensors", "../elsewhere.safetensors"), "names '../elsewhere.safetensors', which is not in its"),
        (shards("/etc/hostname"), "model.safetensors.index.json names '/etc/hostname'"),
        (shards("sub/../../elsewhere.safetensors"), "which is not in its folder"),
        (named("tokenizer_config.json", {"fast_tokenizer_files": ["../tokenizer.4.0.json"]}), "tokenizer_config.json"),
        (
            named("processor_config.json", {"audio_tokenizer": {"audio_tokenizer_name_or_path": "/x"}}),
            "audio tokenizer",
        ),
        (named("audio_tokenizer_config.json", {"audio_tokenizer_name_or_path": "a/b"}), "audio tokenizer"),
    ],
)
def test_a_name_that_leaves_the_folder_is_refused(folder: Path, change: Change, reason: str) -> None:
    change(folder)
    with pytest.raises(CheckpointError, match=reason):
        load_model(FAMILY, folder)


def test_a_shard_in_a_linked_folder_is_refused(folder: Path) -> None:
    shards("part/elsewhere.safetensors")(folder)
    (folder / "part").symlink_to(folder.parent)
    with pytest.raises(CheckpointError, match=r"elsewhere\.safetensors is a symbolic link out of its folder"):
        load_model(FAMILY, folder)


def test_links_are_followed_where_they_are_allowed(folder: Path) -> None:
    for name in ("model.safetensors", "tokenizer.json"):
        moved_out(name)(folder)
    with pytest.raises(CheckpointError, match="or add --allow-links if you made the link yourself"):
        load_model(FAMILY, folder)
    assert load_model(FAMILY, folder, allow_links=True).folder == folder


@pytest.mark.parametrize("change", [shards("../elsewhere.safetensors"), named("audio_tokenizer_config.json", AUDIO)])
def test_allowed_links_allow_no_name_that_leaves_the_folder(folder: Path, change: Change) -> None:
    change(folder)
    with pytest.raises(CheckpointError, match=r"which is not in its folder|an audio tokenizer"):
        load_model(FAMILY, folder, allow_links=True)


def linked_to(folder: Path, *place: str) -> None:
    """The weights are a link to such a place beside the folder."""
    target = folder.parent.joinpath(*place)
    target.parent.mkdir(parents=True)
    (folder / "model.safetensors").rename(target)
    (folder / "model.safetensors").symlink_to(target)


@pytest.mark.parametrize("blob", ["0123456789abcdef" * 4, "0123456789" * 4])
def test_a_link_to_a_blob_of_the_hubs_cache_is_fine(folder: Path, blob: str) -> None:
    linked_to(folder, "hub", "models--owner--name", "blobs", blob)
    assert load_model(FAMILY, folder).folder == folder


@pytest.mark.parametrize(
    "place",
    [
        ("models--owner--name", "blobs", "config.json"),
        ("models--owner--name", "snapshots", "0123456789" * 4),
        ("datasets--owner--name", "blobs", "0123456789" * 4),
        ("models--owner--name", "blobs", "deep", "0123456789" * 4),
    ],
)
def test_what_only_looks_like_a_blob_is_none(folder: Path, place: tuple[str, ...]) -> None:
    linked_to(folder, *place)
    with pytest.raises(CheckpointError, match=r"its model\.safetensors is a symbolic link out of its folder"):
        load_model(FAMILY, folder)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The snapshot of owner/name in a cache of the hub, without a network."""
    repository = tmp_path / "cache" / "models--owner--name"
    snapshot = repository / "snapshots" / "0123abcd"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123abcd")
    for index, file in enumerate(sorted((SAMPLE / "checkpoints" / FAMILY).iterdir())):
        shutil.copy(file, repository / "blobs" / f"{index:040x}")
        (snapshot / file.name).symlink_to(os.path.join("..", "..", "blobs", f"{index:040x}"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return snapshot


def test_the_cache_of_the_hub_consists_of_links(hub: Path, tmp_path: Path) -> None:
    assert load_model(FAMILY, "owner/name").folder == hub
    assert load_model(FAMILY, hub).folder == hub
    (tmp_path / "short").symlink_to(hub)
    assert load_model(FAMILY, tmp_path / "short").folder == tmp_path / "short"


def test_the_cache_of_the_hub_has_no_other_links(hub: Path, tmp_path: Path) -> None:
    (hub / "config.json").unlink()
    shutil.copy(SAMPLE / "checkpoints" / FAMILY / "config.json", tmp_path / "config.json")
    (hub / "config.json").symlink_to(tmp_path / "config.json")
    for name in (hub, "owner/name"):
        with pytest.raises(CheckpointError, match=r"its config\.json is a symbolic link"):
            load_model(FAMILY, name)


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_an_adapter_opens_its_own_files_alone(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (folder / "adapter_model.safetensors").touch()
    assert read_lora(folder).folder == folder
    moved_out(name)(folder)
    with pytest.raises(CheckpointError, match=f"adapter .* its {name} is a symbolic link out of its folder"):
        read_lora(folder)
