"""Clips that are large for a model, and how many visual tokens are expected without the processor."""

from __future__ import annotations

import dataclasses

import pytest

from socialcli.errors import UsageError
from socialcli.models.contract import ModelSpec
from socialcli.models.sizes import MANY_VISUAL_TOKENS, LargeClips, expected_visual_tokens
from socialcli.plugins.registry import registry

from ..conftest import noise_frames, tiny_model


def spec(name: str) -> ModelSpec:
    return registry().model(name).item


@pytest.mark.parametrize(
    ("model", "size", "cap", "tokens"),
    [
        ("qwen2.5-vl", (640, 360), None, 1196),  # the numbers of docs/models.md
        ("qwen2.5-vl", (1920, 1080), None, 2880),
        ("qwen2.5-vl", (1920, 1080), 2_110_000, 10764),
        ("qwen2-vl", (640, 360), None, 1196),
        ("qwen3-vl", (640, 360), None, 880),
        ("qwen3-vl", (1920, 1080), None, 2880),
        ("qwen3-vl", (1920, 1080), 2_110_000, 8160),
        ("smolvlm2", (1920, 1080), None, 648),
        ("gemma-4", (640, 360), None, 528),
        ("gemma-4", (320, 240), None, 504),
        ("qwen3.5", (1920, 1080), None, 2880),
        ("llava-next-video", (640, 360), None, 1152),
        ("internvl3", (1920, 1080), None, 2048),
    ],
)
def test_eight_frames(model: str, size: tuple[int, int], cap: int | None, tokens: int) -> None:
    assert expected_visual_tokens(spec(model), 8, *size, cap) == tokens


@pytest.mark.parametrize(("width", "height"), [(640, 360), (100, 30), (31, 900), (900, 12), (1280, 720), (20, 20)])
@pytest.mark.parametrize("frames", [1, 3, 8])
@pytest.mark.parametrize("family", ["qwen2-vl", "qwen2.5-vl", "qwen3-vl"])
def test_qwens_arithmetic_is_the_processors(family: str, frames: int, width: int, height: int) -> None:
    clip = tiny_model(family).encode_clip(noise_frames(width, height, frames))
    steps, rows, columns = (int(size) for size in clip.inputs["video_grid_thw"][0])
    assert expected_visual_tokens(spec(family), frames, width, height) == steps * rows * columns // 4


def test_a_model_that_does_not_say_is_not_known() -> None:
    quiet = dataclasses.replace(spec("internvl3"), visual_tokens=None)
    assert expected_visual_tokens(quiet, 8, 640, 360) is None
    with pytest.raises(UsageError, match="--max-pixels"):
        expected_visual_tokens(spec("internvl3"), 8, 640, 360, 1000)


def test_large_clips_are_counted_and_the_largest_is_named() -> None:
    clips = LargeClips()
    clips.add("exact", MANY_VISUAL_TOKENS)
    assert clips.note(spec("qwen2.5-vl")) is None
    for name, tokens in (("a", MANY_VISUAL_TOKENS + 1), ("b", 9000), ("c", 10)):
        clips.add(name, tokens)
    note = clips.note(spec("qwen2.5-vl"))
    assert note is not None and note.startswith("2 of 4 clips make more than 4,096 visual tokens for qwen2.5-vl, b the")
    assert "--max-pixels" in note
    other = clips.note(spec("internvl3"))
    assert other is not None and "--max-pixels" not in other and "--frames" in other
