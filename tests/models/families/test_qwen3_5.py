"""Qwen3.5: the frames of Qwen3-VL, prompts without thoughts, and layers of which some have no softmax attention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from socialcli.alignment.hooks import layers_of
from socialcli.api import ask, open_clip
from socialcli.errors import UsageError
from socialcli.inference.cache import is_padding_exact
from tests.conftest import SAMPLE, noise_frames, sample_episodes, tiny_model
from tests.models.families.test_gemma_4 import greedy_text, whole_forward_agrees
from tests.models.families.test_qwen3_vl import at, authors_positions
from tests.models.families.variants import load_variant
from tests.verbs.runs import run

NAME = "qwen3.5"


@pytest.mark.parametrize(
    ("size", "count", "shape"),
    [((640, 360), 8, (4, 11, 20)), ((360, 640), 5, (3, 20, 11)), ((320, 240), 1, (1, 8, 10))],
)
def test_cells(size: tuple[int, int], count: int, shape: tuple[int, int, int]) -> None:
    model = tiny_model(NAME)
    grid = model.encode_prompt("Who?", [], model.encode_clip(noise_frames(*size, count=count))).grid
    assert grid.tokens.shape == shape
    assert grid.seen == pytest.approx((0, 0, *size))


def test_the_answer_begins_behind_empty_thoughts() -> None:
    model = tiny_model(NAME)
    prompt = model.encode_prompt("Who is it?", [], model.encode_clip(at([3.0, 4.0])))
    text = model.processor.tokenizer.decode(prompt.ids)
    step = "<0.5 seconds><|vision_start|>" + "<|video_pad|>" * 12 + "<|vision_end|>"
    words = f"<|im_start|>user\n<|vision_start|>{step}<|vision_end|>Who is it?<|im_end|>\n"
    assert text == words + "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    assert model.letter_prefix == ""


@pytest.mark.parametrize(("size", "count"), [((112, 84), 5), ((200, 64), 1)])
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


def test_only_layers_with_softmax_attention_can_be_aligned() -> None:
    model = tiny_model(NAME)
    kinds = model.model.config.get_text_config().layer_types
    assert [layer is None for layer in model.layers] == [kind == "linear_attention" for kind in kinds]
    decoder = layers_of(model)
    assert list(model.alignable_layers) == [3, 7]
    assert decoder.choose("auto") == (3,) and decoder.choose("2-7") == (3, 7)
    with pytest.raises(UsageError, match=r"--layers 4-6: .* name some of 3,7"):
        decoder.choose("4-6")


def test_rows_name_the_layers_that_took_part(tmp_path: Path) -> None:
    done = run(SAMPLE / "episodes.jsonl", tmp_path / "out", "--limit", "2", "--layers", "0-7", family=NAME)
    assert done.code == 0
    assert {row["layers"] for row in done.rows if row["alignment"]} == {"3,7"}
    refused = run(SAMPLE / "episodes.jsonl", tmp_path / "none", "--layers", "4-6", family=NAME)
    assert refused.code == 2 and "name some of 3,7" in refused.stderr


@pytest.fixture(scope="module")
def experts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_variant("qwen3.5 experts", tmp_path_factory.mktemp("experts"))


def test_mixtures_of_experts_are_exact_too(experts: Any) -> None:
    whole_forward_agrees(experts, frames=3, rounding=3e-5)  # a state's sums are split differently in a batch


@pytest.mark.parametrize("kind", ["sample", "experts"])
def test_texts_are_those_of_transformers_whatever_the_batch(kind: str, experts: Any) -> None:
    model = experts if kind == "experts" else tiny_model(NAME)
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    asked = [ask(clip, question) for question in clip.episode.questions][:4]
    assert len({one.encoded.length for one in asked}) > 1
    assert not is_padding_exact(asked[0].prefix.cache)  # so that prompts of equal length only are decoded together
    texts = [answer.text for answer in clip.generate(asked)]
    assert texts == [greedy_text(model, clip.clip, one.encoded) for one in asked]
    assert all(len(text) > 3 for text in texts)


def test_a_prefix_serves_many_questions_unchanged() -> None:
    """The states of linear attention change in place."""
    model = tiny_model(NAME)
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    first = ask(clip, clip.episode.questions[0])
    before = clip.score([first])[0].scores
    clip.generate([ask(clip, question) for question in clip.episode.questions[:3]])
    assert np.array_equal(before, clip.score([first])[0].scores)
