from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from socialcli.errors import CheckpointError
from socialcli.results.inputs import Inputs, clip_signature, model_signature, signature, unchanged
from socialcli.settings.run import RunSettings

from .samples import settings

CLIPS = ("clip.mp4", "images", "not-there.mp4")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A media root with a clip, a folder of images, and the episodes."""
    (tmp_path / "clip.mp4").write_bytes(b"film")
    (tmp_path / "images").mkdir()
    for number, content in enumerate((b"one", b"two"), 1):
        (tmp_path / "images" / f"{number}.png").write_bytes(content)
        os.utime(tmp_path / "images" / f"{number}.png", ns=(number * 10**9, number * 10**9))
    (tmp_path / "episodes.jsonl").write_bytes(b"{}")
    return tmp_path


def asked(root: Path, **changes: Any) -> RunSettings:
    return settings(**{"episodes": str(root / "episodes.jsonl")} | changes)


def written(root: Path) -> Path:
    inputs = Inputs.of(asked(root))
    for clip in CLIPS:
        inputs.add(clip)
    (root / "predictions.parquet").write_bytes(b"rows")
    inputs.write(root / "inputs.json", [root / "predictions.parquet"])
    return root / "inputs.json"


def test_what_has_not_changed_is_seen(root: Path) -> None:
    path = written(root)
    assert unchanged(path, asked(root))
    assert not unchanged(path, asked(root, media_root=str(root / "images")))
    assert not unchanged(path, asked(root, episodes=str(root / "other.jsonl")))
    assert not unchanged(path.with_name("none.json"), asked(root))


@pytest.mark.parametrize(
    "change",
    [
        "longer",
        "touched",
        "gone",
        "there now",
        "another image",
        "an image touched",
        "images swapped",
        "other episodes",
        "other results",
    ],
)
def test_every_change_is_seen(root: Path, change: str) -> None:
    clip, images, missing = (root / name for name in CLIPS)
    path = written(root)
    image = images / "1.png"
    later = clip.stat().st_mtime_ns + 10**9
    match change:
        case "longer":
            clip.write_bytes(b"films")
            os.utime(clip, ns=(later - 10**9, later - 10**9))
        case "touched":
            os.utime(clip, ns=(later, later))
        case "gone":
            clip.unlink()
        case "there now":
            missing.write_bytes(b"")
        case "another image":
            (images / "2.png").write_bytes(b"")
            os.utime(images / "2.png", ns=(0, 0))
        case "an image touched":
            os.utime(image, ns=(image.stat().st_mtime_ns + 10**9,) * 2)
        case "images swapped":
            (images / "2.png").replace(images / "3.png")
            image.replace(images / "2.png")
            (images / "3.png").replace(image)
        case "other results":
            (root / "predictions.parquet").write_bytes(b"row")
        case "other episodes":
            (root / "episodes.jsonl").write_bytes(b"{ }")
    assert not unchanged(path, asked(root))


def test_a_clip_that_leads_out_of_the_root_is_not_looked_at(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (root / "link").symlink_to(outside)
    assert (
        clip_signature(root, "link") is clip_signature(root, "../outside") is clip_signature(root, str(outside)) is None
    )
    assert clip_signature(root, "images") is not None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"inputs_version": "1.0"}', '{"files": {}}'])
def test_a_damaged_file_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "inputs.json").write_text(content)
    assert not unchanged(tmp_path / "inputs.json", asked(tmp_path))


def test_a_signature_follows_links(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"22")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    first = clip_signature(tmp_path, "link")
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "b")
    assert clip_signature(tmp_path, "link") != first == signature(tmp_path / "a")


def test_the_same_settings_in_another_folder_name_other_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = settings(episodes="e.jsonl", checkpoint="weights", heads="h.parquet")
    (tmp_path / "weights").mkdir()
    monkeypatch.chdir(tmp_path)
    Inputs.of(here).write(tmp_path / "inputs.json")
    assert unchanged(tmp_path / "inputs.json", here)
    monkeypatch.chdir("/")
    assert not unchanged(tmp_path / "inputs.json", here)


def test_a_folder_that_changes_while_it_is_loaded_is_reported(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "model.safetensors").write_bytes(b"1")
    inputs = Inputs.of(settings(checkpoint=str(weights)))
    inputs.add_folders([weights])
    (weights / "model.safetensors").write_bytes(b"22")
    with pytest.raises(CheckpointError, match="changed while it was being loaded; run the same command again"):
        inputs.add_folders([weights])


@pytest.mark.parametrize("name", ["model.safetensors", "additional_chat_templates/a.jinja", "link.safetensors"])
def test_the_signature_of_a_model_covers_every_file_that_decides(tmp_path: Path, name: str) -> None:
    weights = tmp_path / "weights"
    (weights / "additional_chat_templates").mkdir(parents=True)
    (tmp_path / "blob").write_bytes(b"1")
    (weights / "link.safetensors").symlink_to(tmp_path / "blob")
    (weights / "broken.json").symlink_to(tmp_path / "nowhere")
    for file in ("model.safetensors", "additional_chat_templates/a.jinja", "tokenizer.json"):
        (weights / file).write_bytes(b"1")
    os.utime(weights / "tokenizer.json", ns=(2**62, 2**62))  # the youngest file is another one
    before = model_signature(weights)
    (weights / "run.log").write_bytes(b"of no matter")
    assert before == model_signature(weights) is not None
    os.utime(weights / name, ns=(10**9, 10**9))
    assert model_signature(weights) != before


def test_folders_in_a_folder_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"1")
    before = signature(tmp_path)
    (tmp_path / "out").mkdir()
    assert signature(tmp_path) == before


def test_a_name_that_no_file_can_have_has_no_signature(tmp_path: Path) -> None:
    assert clip_signature(tmp_path, "a\0b") is signature(f"{tmp_path}/a\0b") is None
