"""Qwen3-VL: its cells, the times in words between steps, and the numbering of its tokens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration

from socialcli.alignment.attention import Alignment
from socialcli.api import ask, load_model, open_clip
from socialcli.errors import UsageError
from socialcli.video.frames import Frame, FrameSet
from tests.conftest import SAMPLE, noise_frames, sample_episodes, tiny_model

NAME = "qwen3-vl"


def at(times: list[float], width: int = 112, height: int = 84) -> FrameSet:
    """Frames at these seconds of a file."""
    images = noise_frames(width, height, count=len(times)).frames
    return FrameSet(tuple(Frame(time, one.image) for time, one in zip(times, images, strict=True)), len(times))


def encoded(frames: FrameSet, **choices: Any) -> Any:
    model = tiny_model(NAME, **choices)
    return model.encode_prompt("Who is it?", [(0, 3)], model.encode_clip(frames))


@pytest.mark.parametrize(
    ("size", "count", "shape"),
    [
        ((640, 360), 8, (4, 11, 20)),  # 640x352, cells of 32 pixels
        ((360, 640), 5, (3, 20, 11)),
        ((1920, 1080), 2, (1, 20, 36)),  # 1152x640: the most of this shape within 768 x 32 x 32
    ],
)
def test_cells(size: tuple[int, int], count: int, shape: tuple[int, int, int]) -> None:
    grid = encoded(noise_frames(*size, count=count)).grid
    assert grid.tokens.shape == shape
    assert grid.seen == pytest.approx((0, 0, *size))
    assert [frame for step in grid.frames for frame in step] == list(range(count))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 9])
@pytest.mark.parametrize("cap", [50_000, 100_000])
def test_the_cap_is_exact_per_frame_whatever_their_number(count: int, cap: int) -> None:
    """The processor limits the sum over the frames, and rounds an odd number of them."""
    model = tiny_model(NAME, max_pixels=cap)
    clip = model.encode_clip(noise_frames(640, 360, count=count))
    assert clip.cells.shape[:2] == {50_000: (5, 9), 100_000: (7, 13)}[cap]


def test_a_cap_below_a_cell_is_refused() -> None:
    with pytest.raises(UsageError, match="--max-pixels 1000 is less than one cell of 32 x 32 pixels; give 1024"):
        tiny_model(NAME, max_pixels=1000)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0.0, 1.0, 2.0, 3.0], ["0.5", "2.5"]),
        ([61.5, 62.5, 63.5, 64.5], ["0.5", "2.5"]),  # a clip that starts late is a video of its own
        ([10.0, 10.4, 20.0], ["0.2", "10.0"]),  # uneven, and an odd number
        ([3.0], ["0.0"]),
        ([5.0, 5.0, 5.0, 6.0, 6.0, 6.0], ["0.0", "0.5", "1.0"]),  # a clip of two pictures
    ],
)
def test_words_say_the_time_of_each_step(times: list[float], words: list[str]) -> None:
    text = tiny_model(NAME).processor.tokenizer.decode(encoded(at(times)).ids)
    assert re.findall(r"<([\d.]+) seconds><\|vision_start\|>(?:<\|video_pad\|>)+<\|vision_end\|>", text) == words


def authors_positions(ids: list[int], video: int, columns: int) -> list[tuple[int, int, int]]:
    """The authors' rule, token by token: each step is an image of its own, at one moment."""
    positions: list[tuple[int, int, int]] = []
    start = cell = 0
    for token in ids:
        if token != video:
            start, cell = max((max(one) for one in positions), default=-1) + 1, 0
            positions.append((start, start, start))
            continue
        if cell == 0:
            start = max(max(one) for one in positions) + 1
        positions.append((start, start + cell // columns, start + cell % columns))
        cell += 1
    return positions


@pytest.mark.parametrize(("size", "count"), [((112, 84), 5), ((64, 200), 4), ((200, 64), 1), ((40, 40), 16)])
def test_tokens_are_numbered_as_by_the_authors_and_by_transformers(size: tuple[int, int], count: int) -> None:
    model = tiny_model(NAME)
    clip = model.encode_clip(noise_frames(*size, count=count))
    prompt = model.encode_prompt("Who is it?", [], clip)
    positions = model.positions(prompt, clip)
    expected = authors_positions(prompt.ids.tolist(), model.visual_token_id, prompt.grid.tokens.shape[2])
    assert torch.equal(positions[:, 0].T, torch.tensor(expected))
    ids = torch.from_numpy(prompt.ids).unsqueeze(0)
    types = (ids == model.visual_token_id).to(torch.int32) * 2
    library, _ = model.model.model.get_rope_index(ids, types, video_grid_thw=clip.inputs["video_grid_thw"])
    assert torch.equal(positions, library)


def test_features_of_earlier_vision_layers_reach_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the cached prefix alone: they are added in the first decoder layers, at visual tokens."""
    model, episode = tiny_model(NAME), sample_episodes()[0]
    clip = open_clip(model, episode, media_root=str(SAMPLE), frames=2)
    question = ask(clip, episode.questions[0])
    (expected,) = clip.score([question])
    with torch.inference_mode():
        row = model.forward(clip, [question]).logits[0, -1].float()
    letters = [model.continuation_ids(letter)[-1] for letter in question.prompt.letters]
    assert expected.scores == pytest.approx(row[letters].log_softmax(-1).tolist(), abs=1e-5)
    monkeypatch.setattr(model.model.model.language_model, "_deepstack_process", lambda hidden, *_: hidden)
    again = open_clip(model, episode, media_root=str(SAMPLE), frames=2)
    (without,) = again.score([ask(again, episode.questions[0])])
    assert np.abs(np.subtract(expected.scores, without.scores)).max() > 1e-3


def test_a_mixture_of_experts_is_of_the_family(tmp_path: Path) -> None:
    dense = tiny_model(NAME)
    fields = dense.model.config.to_dict()
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "decoder_sparse_step": 1}
    del fields["model_type"], fields["architectures"]
    config = Qwen3VLMoeConfig(**fields | {"text_config": {**fields["text_config"], **experts, "model_type": None}})
    torch.manual_seed(0)
    model = Qwen3VLMoeForConditionalGeneration(config)
    model.generation_config = dense.model.generation_config
    model.save_pretrained(tmp_path)
    dense.processor.save_pretrained(tmp_path)
    loaded = load_model(NAME, tmp_path)
    assert type(loaded.model) is Qwen3VLMoeForConditionalGeneration
    clip = open_clip(loaded, sample_episodes()[0], media_root=str(SAMPLE), frames=2)
    question = ask(clip, clip.episode.questions[0])
    plain, aligned = (clip.score([question], one)[0].scores for one in (None, Alignment(alpha=4, layers="all")))
    assert plain != aligned
