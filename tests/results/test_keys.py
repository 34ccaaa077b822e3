from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from socialcli.episodes.records import Box, Episode, Question, Speaker, Utterance, Video
from socialcli.errors import CheckpointError, VideoError
from socialcli.results.keys import (
    answer_key,
    checkpoint_fingerprint,
    episode_digest,
    file_digest,
    lora_fingerprint,
    media_digest,
    question_digest,
)
from socialcli.video.limits import DEFAULT_LIMITS

QUESTION = Question(id="q1", task="mentioned", utterance="u1", span=(0, 3), answer="ann")
EPISODE = Episode(
    episode_id="e1",
    video=Video(path="clip.mp4", width=640, height=360),
    speakers=(Speaker("ann"), Speaker("bob")),
    utterances=(Utterance("u1", 0.0, 1.0, "Ann, look!", "bob"),),
    boxes=(Box("ann", 0.5, 1.0, 2.0, 3.0, 4.0),),
    questions=(QUESTION,),
)


def test_a_key_is_32_hexadecimal_characters_whatever_the_order() -> None:
    key = answer_key({"prompt": "Who?", "alpha": 1.0, "tasks": ("a", "b")})
    assert key == answer_key({"tasks": ["a", "b"], "alpha": 1.0, "prompt": "Who?"})
    assert len(key) == 32
    assert int(key, 16) >= 0


@pytest.mark.parametrize("changes", [{"prompt": "Whom?"}, {"alpha": 1.5}, {"alpha": None}, {"extra": None}])
def test_a_key_changes_with_every_part(changes: dict[str, Any]) -> None:
    parts = {"prompt": "Who?", "alpha": 1.0}
    assert answer_key(parts | changes) != answer_key(parts)


def test_a_part_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        answer_key({"path": Path("clip.mp4")})
    with pytest.raises(ValueError, match="JSON compliant"):
        answer_key({"alpha": float("nan")})


def test_any_text_can_be_part_of_a_key() -> None:
    assert answer_key({"prompt": "é🎬\ud800"}) != answer_key({"prompt": "é🎬"})


def test_an_episode_is_told_apart_by_everything_but_its_questions() -> None:
    digest = episode_digest(EPISODE)
    moved = replace(EPISODE.boxes[0], x0=1.5)
    assert episode_digest(replace(EPISODE, boxes=(moved,))) != digest
    assert episode_digest(replace(EPISODE, video=replace(EPISODE.video, end=2.0))) != digest
    assert episode_digest(replace(EPISODE, questions=(QUESTION, replace(QUESTION, id="q2")))) == digest


def test_a_question_is_told_apart_by_its_answer() -> None:
    assert question_digest(replace(QUESTION, answer="bob")) != question_digest(QUESTION)


def test_a_video_is_its_content(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"pictures")
    assert media_digest(path) == hashlib.sha256(b"pictures").hexdigest()


def test_a_changed_file_of_the_same_size_is_hashed_again(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"one")
    before = media_digest(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(0, 1))
    assert media_digest(path) != before


def test_a_folder_of_images_is_its_names_and_contents(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(name.encode())
    before = media_digest(tmp_path)
    (tmp_path / ".DS_Store").write_bytes(b"no picture")
    assert media_digest(tmp_path) == before
    (tmp_path / "2.png").rename(tmp_path / "3.png")
    assert media_digest(tmp_path) != before


def test_only_the_images_of_a_folder_are_hashed(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(b"a picture")
    before = media_digest(tmp_path / "images")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "images" / "notes.txt").symlink_to(tmp_path / "notes.txt")
    assert media_digest(tmp_path / "images") == before
    (tmp_path / "other.png").write_bytes(b"another picture")
    (tmp_path / "images" / "2.png").symlink_to(tmp_path / "other.png")
    with pytest.raises(VideoError, match="leads out of the folder"):
        media_digest(tmp_path / "images")


def test_a_file_that_no_frame_is_taken_from_is_not_hashed(tmp_path: Path) -> None:
    with (tmp_path / "clip.mp4").open("wb") as file:
        file.truncate(DEFAULT_LIMITS.max_file_bytes + 1)  # a hole, of which nothing is stored
    with pytest.raises(VideoError, match="exceed the limit"):
        media_digest(tmp_path / "clip.mp4")


def test_media_that_are_missing_are_a_video_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4: cannot be read"):
        media_digest(tmp_path / "gone.mp4")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    for name in ("config.json", "model.safetensors", "merges.txt", "chat_template.jinja"):
        (tmp_path / name).write_text(name)
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates" / "tools.jinja").write_text("tools")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "model.safetensors",
        "merges.txt",
        "chat_template.jinja",
        "additional_chat_templates/tools.jinja",
    ],
)
def test_a_checkpoint_changes_with_any_file_that_decides_answers(checkpoint: Path, name: str) -> None:
    before = checkpoint_fingerprint(checkpoint)
    (checkpoint / name).write_text("changed")
    assert checkpoint_fingerprint(checkpoint) != before


def test_other_files_of_a_checkpoint_do_not_matter(checkpoint: Path, tmp_path: Path) -> None:
    before = checkpoint_fingerprint(checkpoint)
    for name in ("README.md", "optimizer.pt", ".gitattributes", ".cache.json"):
        (checkpoint / name).write_text("anything")
    assert checkpoint_fingerprint(checkpoint) == before


def test_a_moved_checkpoint_is_the_same(checkpoint: Path) -> None:
    before = checkpoint_fingerprint(checkpoint)
    assert checkpoint_fingerprint(checkpoint.rename(checkpoint.with_name("moved"))) == before


@pytest.mark.parametrize(("name", "message"), [("empty", "holds no model"), ("gone", "cannot be read")])
def test_a_folder_without_a_model_is_a_checkpoint_error(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=message):
        checkpoint_fingerprint(tmp_path / name)


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (folder / name).write_text(name)
    return folder


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_an_adapter_changes_with_its_two_files(lora: Path, name: str) -> None:
    before = lora_fingerprint(lora)
    (lora / name).write_text("changed")
    assert lora_fingerprint(lora) != before


def test_other_files_and_the_place_of_an_adapter_do_not_matter(lora: Path) -> None:
    before = lora_fingerprint(lora)
    for name in ("README.md", "trainer_state.json", "optimizer.safetensors"):
        (lora / name).write_text("anything")
    assert lora_fingerprint(lora.rename(lora.with_name("moved"))) == before


def test_an_adapter_that_is_gone_is_a_checkpoint_error(lora: Path) -> None:
    (lora / "adapter_model.safetensors").unlink()
    with pytest.raises(CheckpointError, match="the adapter cannot be read"):
        lora_fingerprint(lora)


def test_a_file_is_hashed_whole(tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    content = os.urandom(3_000_000)
    path.write_bytes(content)
    assert file_digest(path) == hashlib.sha256(content).hexdigest()


def test_an_answer_that_its_text_tells_keeps_the_key_that_it_had_before_places() -> None:
    question = Question(id="q1", task="videoqa", text="Where?", candidates=("here", "there"), answer="there")
    assert question_digest(question) == "d762d74f71b6a5d571a63f328fd7bcaa863cec1cf0ece1216b3929dde2e9483b"


def test_another_one_of_equal_candidates_is_another_question() -> None:
    first = Question(id="q1", task="videoqa", text="?", candidates=("a", "a", "b"), answer="a", answer_index=0)
    assert question_digest(first) != question_digest(replace(first, answer_index=1))
