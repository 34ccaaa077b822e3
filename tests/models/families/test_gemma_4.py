"""Gemma 4: its cells, the times in words before its frames, its windows and its classes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from socialcli.alignment.attention import Alignment
from socialcli.alignment.hooks import layers_of
from socialcli.api import ask, load_model, open_clip
from socialcli.errors import UsageError
from socialcli.models.sizes import expected_visual_tokens
from socialcli.plugins.registry import registry
from tests.conftest import SAMPLE, noise_frames, sample_episodes, tiny_model
from tests.eager import dense_attention
from tests.inference.test_session import largest_difference, padded_plans, whole_forward_scores
from tests.models.families.test_qwen3_vl import at
from tests.models.families.variants import load_variant
from tests.models.test_grid import assert_the_grid_is_right

NAME = "gemma-4"


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((640, 360), (6, 11)),  # 528x288 pixels, cells of 48
        ((360, 640), (11, 6)),
        ((320, 240), (7, 9)),  # enlarged
        ((1920, 1080), (6, 11)),
        ((3000, 40), (1, 70)),
        ((4000, 40), (1, 70)),  # 100 times as wide as high: no whole cell would fit
        ((20, 700), (49, 1)),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_cells(size: tuple[int, int], shape: tuple[int, int], count: int) -> None:
    model = tiny_model(NAME)
    grid = model.encode_prompt("Who?", [], model.encode_clip(noise_frames(*size, count=count))).grid
    assert grid.tokens.shape == (count, *shape)
    assert grid.seen == pytest.approx((0, 0, *size))
    assert grid.frames == tuple((index,) for index in range(count))
    assert expected_visual_tokens(registry().model(NAME).item, count, *size) == count * shape[0] * shape[1]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([0.0, 1.2, 2.4, 3.6], ["00:00", "00:01", "00:02", "00:03"]),
        ([61.5, 73.46], ["00:00", "00:11"]),  # a clip that starts late is a video of its own
        ([8.0], ["00:00"]),
        ([2.0, 2.4, 2.8, 3.2], ["00:00", "00:00", "00:00", "00:01"]),  # less than a second apart
        ([1.1, 4.1], ["00:00", "00:03"]),  # 2.9999999999999996 seconds later
        ([5.0, 605.0], ["00:00", "10:00"]),
    ],
)
def test_words_say_the_time_of_each_frame(times: list[float], words: list[str]) -> None:
    model = tiny_model(NAME)
    prompt = model.encode_prompt("Who is it?", [], model.encode_clip(at(times)))
    text = model.processor.tokenizer.decode(prompt.ids)
    frames = " ".join(rf"({word}) <\|image>(?:<\|video\|>)+<image\|>" for word in words)
    assert re.fullmatch(rf"<bos><\|turn>user\n{frames}Who is it\?<turn\|>\n<\|turn>model\n", text)
    assert model.letter_prefix == ""


def test_layers_that_share_keys_cannot_be_aligned() -> None:
    """The last two of six use the keys of layers 2 and 3."""
    model = tiny_model(NAME)
    assert model.model.config.get_text_config().num_kv_shared_layers == 2
    assert list(model.alignable_layers) == [0, 1, 2, 3]
    assert model.skippable_layers == 2
    with pytest.raises(UsageError, match=r"--layers 4-5: .* name some of 0-3"):
        layers_of(model).choose("4-5")


def whole_forward_agrees(model: Any, frames: int, questions: int = 3, rounding: float = 1e-5) -> None:
    """Scores behind the shared prefix, in a batch and alone, are those of dense attention over whole prompts."""
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=frames)
    asked = [ask(clip, question) for question in clip.episode.questions][:questions]
    layers = tuple(model.alignable_layers)
    with dense_attention(model, padded_plans(asked), layers, alpha=1.0, threshold=5e-5):
        expected = whole_forward_scores(model, clip, asked)
    aligned, plain = (clip.score(asked, one) for one in (Alignment(layers="all"), None))
    found = [answer.scores for answer in aligned]
    assert largest_difference(found, expected) < 1e-4
    assert largest_difference(found, [answer.scores for answer in plain]) > 1e-3
    alone = [clip.score([one], Alignment(layers="all"))[0].scores for one in asked]
    assert largest_difference(found, alone) < rounding


def test_a_prompt_of_3000_tokens_behind_windows_of_512() -> None:
    model = tiny_model(NAME)
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=44)
    prompt = ask(clip, clip.episode.questions[0]).encoded
    assert prompt.length > 3000 and model.model.config.get_text_config().sliding_window == 512
    whole_forward_agrees(model, frames=44, questions=1)


@pytest.mark.parametrize("kind", ["sliding_attention", "full_attention"])
def test_each_kind_of_layer_moves_the_scores(kind: str) -> None:
    model = tiny_model(NAME)
    kinds = model.model.config.get_text_config().layer_types
    layers = ",".join(str(layer) for layer in model.alignable_layers if kinds[layer] == kind)
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=8)  # more tokens than a window
    question = ask(clip, clip.episode.questions[0])
    assert question.encoded.length > 512
    plain, aligned = (clip.score([question], one)[0].scores for one in (None, Alignment(layers=layers)))
    assert max(np.abs(np.subtract(plain, aligned))) > 1e-3


@pytest.fixture(scope="module", params=["gemma-4 large", "gemma-4 unified"])
def variant(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_variant(request.param, tmp_path_factory.mktemp("variant"))


def test_the_large_models_are_exact_too(variant: Any) -> None:
    """Frames that see themselves both ways, values that are keys, heads of two widths, experts; no shared keys."""
    assert list(variant.alignable_layers) == list(range(6))
    assert variant.skippable_layers == 6
    whole_forward_agrees(variant, frames=3)


def test_the_large_models_have_the_same_grid(variant: Any) -> None:
    assert_the_grid_is_right(variant, noise_frames(320, 200, count=3))


@torch.inference_mode()
def test_frames_of_the_large_models_see_themselves_both_ways(variant: Any) -> None:
    """Behind the prefix the types of the tokens change nothing; in it they do."""
    clip = variant.encode_clip(noise_frames(320, 200, count=2))
    inputs = variant.forward_inputs([variant.encode_prompt("Who is it?", [], clip)], clip)
    both_ways = variant.model(**inputs).logits[0, -1]
    inputs["mm_token_type_ids"] = torch.zeros_like(inputs["mm_token_type_ids"])
    assert (variant.model(**inputs).logits[0, -1] - both_ways).abs().max() > 1e-3


def test_the_large_models_generate_as_transformers_does(variant: Any) -> None:
    clip = open_clip(variant, sample_episodes()[0], SAMPLE, frames=3)
    asked = [ask(clip, question) for question in clip.episode.questions][:3]
    texts = [answer.text for answer in clip.generate(asked)]
    assert texts == [greedy_text(variant, clip.clip, one.encoded) for one in asked]
    assert len(set("".join(texts))) > 3  # more than one token repeated


@torch.inference_mode()
def greedy_text(model: Any, clip: Any, prompt: Any) -> str:
    """The answer of transformers' own `generate` to a whole prompt."""
    inputs = model.forward_inputs([prompt], clip)
    del inputs["position_ids"]  # transformers finds its own, from the types of the tokens
    inputs["mm_token_type_ids"] = (inputs["input_ids"] == model.visual_token_id).to(torch.int32) * 2
    ids = model.model.generate(**inputs, max_new_tokens=16, do_sample=False)[0, prompt.length :].tolist()
    end = next((index for index, token in enumerate(ids) if token in model.end_ids), len(ids))
    return str(model.decode(ids[:end]))


def test_a_checkpoint_of_either_class_is_saved_and_loaded(variant: Any, tmp_path: Path) -> None:
    variant.save(tmp_path)
    again = load_model(NAME, tmp_path)
    assert type(again.model) is type(variant.model) and type(again.processor) is type(variant.processor)
