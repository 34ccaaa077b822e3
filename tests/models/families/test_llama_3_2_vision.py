"""Llama-3.2-Vision: its tiles, and alignment in cross-attention layers, whose keys are the frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from transformers.models.mllama import image_processing_mllama as library

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.bias import CENTRED, FLOORED, PROBABILITY, PUBLISHED
from socialcli.alignment.rules import BiasRule
from socialcli.api import ask, open_clip
from socialcli.errors import UsageError
from socialcli.inference.answer_modes import SCORE
from socialcli.inference.answers import answer_batch
from socialcli.inference.decoding import candidate_scores
from socialcli.inference.prefix import continued_cache
from socialcli.inference.session import ClipSession
from socialcli.models.contract import ClipSize, EncodedPrompt
from socialcli_llama_3_2_vision.sizes import TILE, TILES, fitted_size, tile_shape, tile_shapes, visual_tokens
from tests.conftest import SAMPLE, noise_frames, sample_episodes, tiny_model
from tests.eager import dense_attention

NAME = "llama-3.2-vision"
KEYS_OF_TILE = 1 + 40 * 40
ALL = Alignment(layers="all")


@cache
def session() -> ClipSession:
    return open_clip(tiny_model(NAME), sample_episodes()[0], media_root=str(SAMPLE), frames=1)


@cache
def questions() -> Sequence[Any]:
    """Three questions of different lengths on a clip of one frame."""
    return [ask(session(), question) for question in session().episode.questions[:3]]


@pytest.mark.parametrize(
    ("size", "shape", "canvas"),
    [
        ((640, 360), (26, 46), (1, 2)),  # as it is, at the top left of 1120x560
        ((360, 640), (46, 26), (2, 1)),
        ((320, 240), (30, 40), (1, 1)),  # enlarged to 560x420
        ((1920, 1080), (45, 80), (2, 2)),  # shrunk to 1120x630
        ((400, 2000), (143, 29), (4, 1)),  # as it is
    ],
)
def test_cells_are_the_patches_of_the_fitted_frame(
    size: tuple[int, int], shape: tuple[int, int], canvas: tuple[int, int]
) -> None:
    model = tiny_model(NAME)
    clip = model.encode_clip(noise_frames(*size, count=2))
    assert clip.inputs["aspect_ratio_mask"].sum(-1).tolist() == [[canvas[0] * canvas[1]] * 2]
    grid = model.encode_prompt("Who?", [], clip).grid
    assert grid.tokens.shape == (2, *shape) and grid.cross_attention
    assert visual_tokens(ClipSize(2, *size)) == grid.shown.size == np.unique(grid.shown).size
    assert tile_shape(*size) == canvas
    row, column = 20, 25  # in the first tile
    assert grid.tokens[1, row, column] == 4 * KEYS_OF_TILE + 1 + row * 40 + column
    last_tile = (shape[0] - 1) // 40 * canvas[1] + (shape[1] - 1) // 40
    assert grid.tokens[1].max() // KEYS_OF_TILE == 4 + last_tile
    left, top, right, bottom = grid.seen
    assert (left, top) == (0, 0)
    assert right == pytest.approx(size[0], rel=1 / shape[1]) and bottom == pytest.approx(size[1], rel=1 / shape[0])


def test_eight_published_frames_have_the_published_keys() -> None:
    model = tiny_model(NAME)
    clip = model.encode_clip(noise_frames(640, 360))
    prompt = model.encode_prompt("Who?", [], clip)
    assert prompt.grid.tokens.shape == (8, 26, 46)
    assert (prompt.ids == model.visual_token_id).sum() == 8
    assert clip.cells[0, 0].tolist() == [0, 0, 14, 14]


def test_frames_are_fitted_as_by_the_processor() -> None:
    draw = np.random.default_rng(0)
    assert tile_shapes() == library.get_all_supported_aspect_ratios(TILES)
    for width, height in draw.integers(1, 4000, (300, 2)).tolist():
        canvas = library.get_optimal_tiled_canvas(height, width, TILES, TILE)
        shape = tile_shape(width, height)
        assert (shape[0] * TILE, shape[1] * TILE) == tuple(canvas)
        assert fitted_size(width, height, shape) == library.get_image_size_fit_to_canvas(height, width, *canvas, TILE)


@pytest.mark.parametrize("text", ["{0}{0}{0} a b", "{0} a {0}{0} b {0} c", "a {0} b", "{0}"])
def test_tokens_see_the_images_that_the_processor_shows_them(text: str) -> None:
    model = tiny_model(NAME)
    written = text.format(model.placeholder)
    count = written.count(model.placeholder)
    frames = noise_frames(640, 360, count=count)
    images = [[frame.image for frame in frames.frames]]
    made = model.processor(text=[written], images=images, return_tensors="pt")
    prompt = EncodedPrompt(made["input_ids"][0].numpy(), (), None, 0)
    mask = model.token_inputs(prompt, model.encode_clip(frames))["cross_attention_mask"]
    assert torch.equal(mask.long(), made["cross_attention_mask"])


def test_a_conversation_is_the_processors_own() -> None:
    model, frames = tiny_model(NAME), noise_frames(360, 640, count=2)
    content = [*({"type": "image", "image": frame.image} for frame in frames.frames), {"type": "text", "text": "Who?"}]
    made = model.processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    )
    clip = model.encode_clip(frames)
    inputs = model.forward_inputs([model.encode_prompt("Who?", [], clip)], clip)
    for name in ("input_ids", "pixel_values", "aspect_ratio_ids", "aspect_ratio_mask", "cross_attention_mask"):
        assert torch.equal(inputs[name], made[name].to(inputs[name].dtype)), name


@torch.inference_mode()
def whole_scores(asked: Sequence[Any]) -> list[tuple[float, ...]]:
    """The candidates' scores from whole forward passes, each prompt alone."""
    model = tiny_model(NAME)
    logits = [model.forward(session(), [one]).logits[0, -1] for one in asked]
    return [candidate_scores(model, row, one.prompt.letters) for row, one in zip(logits, asked, strict=True)]


def furthest(left: Any, right: Any) -> float:
    return max(np.abs(np.subtract(a, b)).max() for a, b in zip(left, right, strict=True))


def scores(asked: Sequence[Any], alignment: Alignment | None) -> list[Any]:
    return [answer.scores for answer in session().score(asked, alignment)]


@pytest.mark.parametrize("rule", [PUBLISHED, FLOORED, CENTRED, PROBABILITY], ids=lambda rule: rule.name)
def test_aligned_scores_equal_the_dense_formula(rule: BiasRule) -> None:
    model, asked = tiny_model(NAME), questions()[:1]
    with dense_attention(model, [asked[0].plan], model.cross_layers, alpha=1.0, threshold=5e-5, bias=rule.name):
        expected = whole_scores(asked)
    assert furthest(scores(asked, Alignment(layers="all", rule=rule)), expected) < 1e-4
    assert furthest(scores(asked, None), expected) > 1e-3


def test_a_strength_of_0_changes_no_bit() -> None:
    assert scores(questions(), Alignment(alpha=0.0, layers="all")) == scores(questions(), None)


def test_a_batch_on_a_shared_prefix_scores_as_whole_prompts_alone() -> None:
    assert len({one.encoded.length for one in questions()}) > 1
    assert furthest(scores(questions(), None), whole_scores(questions())) < 1e-5
    assert furthest(scores(questions(), ALL), [scores([one], ALL)[0] for one in questions()]) < 1e-5


def test_a_batch_on_several_clips_scores_as_each_clip_alone() -> None:
    other = open_clip(tiny_model(NAME), sample_episodes()[1], media_root=str(SAMPLE), frames=1)
    both = [questions()[0], ask(other, other.episode.questions[0])]
    (together,) = answer_batch(tiny_model(NAME), both, [ALL], SCORE)
    alone = [answer_batch(tiny_model(NAME), [one], [ALL], SCORE)[0][0] for one in both]
    assert furthest([one.scores for one in together], [one.scores for one in alone]) < 1e-5


def test_conditions_together_score_as_each_alone() -> None:
    conditions = [None, Alignment(layers="3"), ALL, Alignment(heads=frozenset({(4, 1)})), Alignment(max_heads=1)]
    together = answer_batch(tiny_model(NAME), questions()[:2], conditions, SCORE)
    for condition, answers in zip(conditions, together, strict=True):
        assert furthest([one.scores for one in answers], scores(questions()[:2], condition)) < 1e-5


def test_a_batch_on_one_clip_shares_the_keys_of_its_frames() -> None:
    model, prefix = tiny_model(NAME), questions()[0].prefix
    joined = continued_cache(model, [prefix] * 3, room=8)
    for layer, (own, shared) in enumerate(zip(prefix.cache.layers, joined.layers, strict=True)):
        assert shared.keys.shape[0] == 3
        assert (own.keys.data_ptr() == shared.keys.data_ptr()) == (layer in model.cross_layers)


@pytest.mark.parametrize("alignment", [None, ALL], ids=["plain", "aligned"])
def test_text_is_what_transformers_generates(alignment: Alignment | None) -> None:
    model, one = tiny_model(NAME), questions()[1]
    inputs = model.forward_inputs([one.encoded], session().clip)
    inputs.pop("position_ids")
    with aligned_if(alignment, one), torch.inference_mode():
        ids = model.model.generate(**inputs, max_new_tokens=16, do_sample=False)
    (answer,) = session().generate([one], alignment)
    assert answer.text == model.decode(ids[0, one.encoded.length :].tolist())
    (first, _) = session().generate(questions()[1:3], alignment)
    assert first.text == answer.text


@contextmanager
def aligned_if(alignment: Alignment | None, one: Any) -> Iterator[None]:
    if alignment is None:
        yield
    else:
        with aligned(tiny_model(NAME), one.plan, alignment):
            yield


def test_prompts_without_video_skip_the_cross_layers() -> None:
    model = tiny_model(NAME)
    clip = open_clip(model, sample_episodes()[0], media_root=str(SAMPLE), with_video=False)
    asked = [ask(clip, question) for question in clip.episode.questions[:2]]
    assert all(one.plan is None and one.encoded.grid is None for one in asked)
    with torch.inference_mode():
        rows = [model.forward(clip, [one]).logits[0, -1] for one in asked]
    expected = [candidate_scores(model, row, one.prompt.letters) for row, one in zip(rows, asked, strict=True)]
    for answers in answer_batch(model, asked, [None, ALL], SCORE):
        assert furthest([one.scores for one in answers], expected) < 1e-5


def test_layers_are_those_with_cross_attention() -> None:
    model = tiny_model(NAME)
    assert sorted(model.cross_layers) == list(model.alignable_layers) == [1, 3, 4]
    (answer,) = session().score(questions()[:1], ALL)
    assert answer.aligned is not None and 0 < answer.aligned.active_heads <= 3 * 4
    with pytest.raises(UsageError, match=r"no layer of this model in that range can be aligned.* name some of 1,3-4"):
        session().score(questions()[:1], Alignment(layers="2"))
