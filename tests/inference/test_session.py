"""Scores of the fused attention over a shared prefix, against a dense reference in one whole forward."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.bias import RULES as ALL_RULES
from socialcli.alignment.hooks import layers_of
from socialcli.api import ask, load_model, open_clip
from socialcli.inference.decoding import candidate_scores, letter_ids
from socialcli.inference.prefix import compute_prefix, continued_cache, room_for, run_step, step_of
from socialcli.inference.regions import clip_regions as regions
from tests.conftest import SAMPLE, sample_episodes, tiny_model
from tests.eager import dense_attention

RULES = {rule.name: rule for rule in ALL_RULES}


@cache
def half_model(family: str) -> Any:
    return load_model(family, str(SAMPLE / "checkpoints" / family), dtype="bfloat16")


@pytest.fixture
def clip(model: Any) -> Any:
    return open_clip(model, sample_episodes()[0], SAMPLE)


@pytest.fixture
def asked(clip: Any) -> list[Any]:
    return [ask(clip, question) for question in clip.episode.questions][:4]


def short_clip(model: Any) -> tuple[Any, list[Any]]:
    """A clip of two frames, on which the dense formula is quick, and its first questions."""
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    return clip, [ask(clip, question) for question in clip.episode.questions][:4]


def whole_forward_scores(model: Any, clip: Any, asked: list[Any]) -> list[tuple[float, ...]]:
    """The candidates' log-probabilities from one forward over whole prompts, padded on the left."""
    with torch.inference_mode():
        inputs = model.forward_inputs([question.encoded for question in asked], clip.clip)
        logits = model.model(**inputs).logits[:, -1]
    letters = [list(letter_ids(model, question.prompt.letters)) for question in asked]
    return [tuple(row[ids].log_softmax(-1).tolist()) for row, ids in zip(logits, letters, strict=True)]


def padded_plans(asked: list[Any]) -> list[Any]:
    longest = max(question.encoded.length for question in asked)
    return [question.plan.shifted(longest - question.encoded.length) for question in asked]


def largest_difference(left: list[tuple[float, ...]], right: list[tuple[float, ...]]) -> float:
    return max(np.abs(np.subtract(a, b)).max() for a, b in zip(left, right, strict=True))


def dense_scores(model: Any, clip: Any, asked: list[Any], batch: int, bias: str) -> list[tuple[float, ...]]:
    """What the formula, written out in float64, gives for questions in batches."""
    layers = layers_of(model).choose("auto")
    expected = []
    for start in range(0, len(asked), batch):
        part = asked[start : start + batch]
        with dense_attention(model, padded_plans(part), layers, alpha=1.0, threshold=5e-5, bias=bias):
            expected += whole_forward_scores(model, clip, part)
    return expected


def answers_in_batches(clip: Any, asked: list[Any], batch: int, bias: str) -> list[Any]:
    settings = Alignment(rule=RULES[bias])
    return [answer for at in range(0, len(asked), batch) for answer in clip.score(asked[at : at + batch], settings)]


@contextmanager
def lower_scores(model: Any, by: float) -> Iterator[None]:
    """Lower every score of the text decoder by about `by`, whatever the tokens.

    A softmax hardly notices: each head's slowest pair of rotary dimensions is set so that it adds the same to all.
    """
    config = model.model.config.get_text_config()
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads

    def set_slowest(value: float) -> Any:
        def hook(_module: Any, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
            heads = output.unflatten(-1, (-1, width)).clone()
            heads[..., [width // 2 - 1, width - 1]] = torch.tensor([value, 0.0], dtype=output.dtype)
            return heads.flatten(-2)

        return hook

    strength = (by * width**0.5) ** 0.5
    handles = [layer.q_proj.register_forward_hook(set_slowest(strength)) for layer in model.layers]
    handles += [layer.k_proj.register_forward_hook(set_slowest(-strength)) for layer in model.layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("bias", list(RULES))
@pytest.mark.parametrize("batch", [1, 4])
def test_aligned_scores_equal_the_dense_formula(model: Any, batch: int, bias: str) -> None:
    clip, asked = short_clip(model)
    scores = [answer.scores for answer in answers_in_batches(clip, asked, batch, bias)]
    assert largest_difference(scores, dense_scores(model, clip, asked, batch, bias)) < 1e-4
    assert largest_difference(scores, [answer.scores for answer in clip.score(asked)]) > 1e-3


@pytest.mark.parametrize("bias", list(RULES))
@pytest.mark.parametrize("batch", [1, 4])
def test_they_do_too_where_the_largest_visual_scores_are_negative(model: Any, batch: int, bias: str) -> None:
    with lower_scores(model, 6.0):
        clip, asked = short_clip(model)
        answers = answers_in_batches(clip, asked, batch, bias)
        expected = dense_scores(model, clip, asked, batch, bias)
        plain = [answer.scores for answer in clip.score(asked)]
    scores = [answer.scores for answer in answers]
    assert largest_difference(scores, expected) < 1e-4
    shares = [answer.aligned.negative_share for answer in answers]
    assert min(shares) > 1 / 3 if bias == "published" else max(shares) == 0
    assert bias == "floored" or largest_difference(scores, plain) > 1e-3


@pytest.mark.parametrize("by", [0.0, 6.0], ids=["", "negative"])
@pytest.mark.parametrize("bias", list(RULES))
def test_in_bfloat16_the_error_is_about_that_of_the_plain_model(family: str, bias: str, by: float) -> None:
    exact, half = tiny_model(family), half_model(family)
    found: dict[str, Any] = {}
    for name, model in (("exact", exact), ("half", half)):
        with lower_scores(model, by) if by else nullcontext():
            clip, asked = short_clip(model)
            found[name] = [answer.scores for answer in clip.score(asked)]
            if model is exact:
                expected = dense_scores(model, clip, asked, 4, bias)
            else:
                aligned_scores = [answer.scores for answer in answers_in_batches(clip, asked, 4, bias)]
    own_error = largest_difference(found["half"], found["exact"])
    assert largest_difference(aligned_scores, expected) < max(4 * own_error, 0.05)


@pytest.mark.parametrize("bias", list(RULES))
def test_alignment_works_in_one_whole_padded_forward_too(model: Any, clip: Any, asked: list[Any], bias: str) -> None:
    settings = Alignment(rule=RULES[bias])
    with aligned(model, padded_plans(asked), settings):
        whole = whole_forward_scores(model, clip, asked)
    assert largest_difference(whole, [answer.scores for answer in clip.score(asked, settings)]) < 1e-4


def test_a_head_threshold_in_between_selects_the_same_heads_as_the_dense_formula(
    model: Any, clip: Any, asked: list[Any]
) -> None:
    settings = Alignment(layers="all", threshold=_middle_threshold(model, clip, asked))
    answers = clip.score(asked, settings)
    assert 0 < np.mean([answer.aligned.active_share for answer in answers]) < 1
    with dense_attention(model, padded_plans(asked), range(len(model.layers)), 1.0, settings.threshold):
        expected = whole_forward_scores(model, clip, asked)
    assert largest_difference([answer.scores for answer in answers], expected) < 1e-4


def _middle_threshold(model: Any, clip: Any, asked: list[Any]) -> float:
    """A lambda that some heads pass and some do not, well away from every head."""
    shares = {}
    for threshold in np.geomspace(1e-5, 1e-2, 60):
        (answer,) = clip.score(asked[:1], Alignment(layers="all", threshold=float(threshold)))
        shares[float(threshold)] = answer.aligned.active_share
    return min(shares, key=lambda threshold: abs(shares[threshold] - 0.5))


def test_no_strength_is_no_change(clip: Any, asked: list[Any]) -> None:
    plain = [answer.scores for answer in clip.score(asked)]
    for rule in RULES.values():
        assert [answer.scores for answer in clip.score(asked, Alignment(alpha=0.0, rule=rule))] == plain


def test_the_model_has_its_own_attention_again_after_an_error(model: Any, clip: Any, asked: list[Any]) -> None:
    before = model.model.config.get_text_config()._attn_implementation
    plain = [answer.scores for answer in clip.score(asked)]
    with pytest.raises(RuntimeError, match="inside"), aligned(model, [question.plan for question in asked]):
        raise RuntimeError("inside")
    assert model.model.config.get_text_config()._attn_implementation == before
    assert not any(name.startswith("_socialcli") for layer in model.layers for name in vars(layer))
    assert [answer.scores for answer in clip.score(asked)] == plain


def test_scores_do_not_depend_on_the_batch(clip: Any) -> None:
    asked = [ask(clip, question) for question in clip.episode.questions]
    for alignment in (None, Alignment()):
        alone = [clip.score([question], alignment)[0].scores for question in asked]
        for size in (3, 8):
            batches = [asked[start : start + size] for start in range(0, len(asked), size)]
            together = [answer.scores for batch in batches for answer in clip.score(batch, alignment)]
            assert largest_difference(alone, together) < 1e-5


def test_without_video_nothing_is_aligned(model: Any) -> None:
    clip = open_clip(model, sample_episodes()[0], SAMPLE, with_video=False)
    asked = [ask(clip, question) for question in clip.episode.questions]
    together = [answer.scores for answer in clip.score(asked)]
    assert largest_difference(together, whole_forward_scores(model, clip, asked)) < 1e-4
    assert [answer.scores for answer in clip.score(asked, Alignment())] == together


def test_a_model_with_eager_attention_is_aligned_on_it(model: Any, clip: Any, asked: list[Any]) -> None:
    fused = [answer.scores for answer in clip.score(asked, Alignment())]
    model.model.set_attn_implementation({"text_config": "eager"})
    try:
        eager = [answer.scores for answer in clip.score(asked, Alignment())]
        assert model.model.config.get_text_config()._attn_implementation == "eager"
    finally:
        model.model.set_attn_implementation({"text_config": "sdpa"})
    assert eager != fused
    assert largest_difference(eager, fused) < 1e-4


def test_a_prefix_that_runs_inside_the_alignment_is_left_alone(model: Any, clip: Any, asked: list[Any]) -> None:
    expected = clip.score(asked[:1], Alignment())[0].scores
    with aligned(model, asked[0].plan):
        prefix = compute_prefix(model, clip.clip, asked[0].encoded)
        step = step_of(model, [prefix], [asked[0].encoded], prefix.length)
        state = run_step(model, step, continued_cache(model, [prefix], room_for(step)))
    scores = candidate_scores(model, state.logits[0], asked[0].prompt.letters)
    assert np.abs(np.subtract(scores, expected)).max() < 1e-5


def test_what_boxes_cover_is_found_once_for_all_questions_on_a_clip(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    real = regions.cover_speakers
    monkeypatch.setattr(regions, "cover_speakers", lambda *words: calls.append(words) or real(*words))
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    asked = [ask(clip, question) for question in clip.episode.questions]
    assert len(calls) == 1 < len(asked)
    alone = [ask(open_clip(model, sample_episodes()[0], SAMPLE, frames=2), one.question) for one in asked]
    for one, other in zip(asked, alone, strict=True):
        assert one.plan is not None and other.plan is not None
        assert np.array_equal(one.plan.pairs, other.plan.pairs) and one.plan.covered == other.plan.covered > 0
