"""The attention figures against those computed from the models' own `output_attentions=True`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from socialcli.alignment.attention import Alignment
from socialcli.alignment.head_attention import AttentionGauge, HeadFigures
from socialcli.alignment.hooks import layers_of
from socialcli.api import ask, open_clip
from socialcli.inference import attention_pass
from tests.conftest import SAMPLE, sample_episodes
from tests.eager import dense_attention

EPISODES = range(len(sample_episodes()))


def figures_of(model: Any, clip: Any, asked: list[Any], settings: Alignment) -> HeadFigures:
    gauge = AttentionGauge(len(model.layers), model.model.config.get_text_config().num_attention_heads)
    attention_pass.gauge(clip.adapter, asked, settings, gauge)
    return gauge.figures()


def own_attentions(model: Any, clip: Any, question: Any) -> np.ndarray:
    """The attention of every layer and head, (layers, heads, L, L), as the model itself returns it."""
    with torch.inference_mode():
        inputs = model.forward_inputs([question.encoded], clip.clip)
        output = model.model(**inputs, output_attentions=True)
    return np.stack([layer[0].double().numpy() for layer in output.attentions])


def expected_figures(attention: np.ndarray, plan: Any, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """AttnMax and AttnMean, (layers, heads), written from their definitions."""
    block = attention[:, :, plan.rows][..., plan.columns]
    rows = pairs.any(axis=1)
    largest = np.where(pairs, block, -np.inf).max(axis=-1)[:, :, rows].mean(axis=-1)
    return largest, (block * pairs).sum(axis=(-1, -2)) / pairs.sum()


@pytest.mark.parametrize("bias_stage", ["before", "after"])
def test_figures_equal_those_of_the_models_own_attentions(model: Any, bias_stage: str) -> None:
    clip = open_clip(model, sample_episodes()[0], SAMPLE)
    question = ask(clip, clip.episode.questions[0])
    layers = layers_of(model).choose("auto")
    figures = figures_of(model, clip, [question], Alignment())
    if bias_stage == "before":
        with dense_attention(model, [], [], alpha=1.0, threshold=5e-5):
            plain = own_attentions(model, clip, question)
        model.model.set_attn_implementation({"text_config": "eager"})
        try:
            attention = own_attentions(model, clip, question)
        finally:
            model.model.set_attn_implementation({"text_config": "sdpa"})
        assert np.abs(plain - attention).max() < 1e-5  # the reference is the model's own eager attention
        # A layer after an aligned one sees other queries, also before its own bias: compare up to the first of them.
        compared = slice(0, layers[0] + 1)
    else:
        with dense_attention(model, [question.plan], layers, alpha=1.0, threshold=5e-5):
            attention = own_attentions(model, clip, question)
        compared = slice(None)
    for target, pairs in (("own", question.plan.pairs), ("other", question.plan.others)):
        largest, mean = expected_figures(attention, question.plan, pairs)
        assert np.abs(figures.attn_max[bias_stage, target] - largest)[compared].max() < 1e-5
        assert np.abs(figures.attn_mean[bias_stage, target] - mean)[compared].max() < 1e-5


def test_without_strength_before_and_after_are_the_models_own(model: Any) -> None:
    clip = open_clip(model, sample_episodes()[1], SAMPLE)
    question = ask(clip, clip.episode.questions[0])
    figures = figures_of(model, clip, [question], Alignment(alpha=0.0))
    model.model.set_attn_implementation({"text_config": "eager"})
    try:
        largest, mean = expected_figures(own_attentions(model, clip, question), question.plan, question.plan.pairs)
    finally:
        model.model.set_attn_implementation({"text_config": "sdpa"})
    for stage in ("before", "after"):
        assert np.abs(figures.attn_max[stage, "own"] - largest).max() < 1e-5
        assert np.abs(figures.attn_mean[stage, "own"] - mean).max() < 1e-5


@pytest.mark.parametrize("index", EPISODES)
def test_own_attention_rises_in_every_active_head(model: Any, index: int) -> None:
    clip = open_clip(model, sample_episodes()[index], SAMPLE, frames=4)
    asked = [ask(clip, question) for question in clip.episode.questions[:2]]
    figures = figures_of(model, clip, asked, Alignment())
    active = figures.active == 1
    assert active.any()
    rise = figures.attn_mean["after", "own"] - figures.attn_mean["before", "own"]
    assert (rise[active] > 0).all()
    assert (rise[figures.active == 0] == 0).all()


def test_a_batch_measures_what_its_questions_do_one_by_one(model: Any) -> None:
    clip = open_clip(model, sample_episodes()[0], SAMPLE)
    asked = [ask(clip, question) for question in clip.episode.questions]
    together = figures_of(model, clip, asked, Alignment())
    gauge = AttentionGauge(len(model.layers), model.model.config.get_text_config().num_attention_heads)
    for question in asked:
        attention_pass.gauge(clip.adapter, [question], Alignment(), gauge)
    alone = gauge.figures()
    assert (together.rows, together.pairs, together.prompts) == (alone.rows, alone.pairs, alone.prompts)
    for key in together.attn_max:
        np.testing.assert_allclose(together.attn_max[key], alone.attn_max[key], atol=1e-6)
        np.testing.assert_allclose(together.attn_mean[key], alone.attn_mean[key], atol=1e-6)


def test_no_plan_is_nothing_to_measure() -> None:
    figures = AttentionGauge(2, 3).figures()
    assert figures.prompts == 0
    assert np.isnan(figures.attn_mean["before", "own"]).all()


def test_the_gaze_score_is_the_last_tokens_attention_to_the_speaker_of_the_utterance_in_question(model: Any) -> None:
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    asked = [ask(clip, question) for question in clip.episode.questions]
    about = [one for one in asked if one.prompt.asked is not None]
    assert len(about) >= 2
    model.model.set_attn_implementation({"text_config": "eager"})
    expected = []
    for one in about:
        plan, words = one.plan, one.encoded.token_spans[one.prompt.utterances.index(one.prompt.asked)]
        region = plan.columns[plan.pairs[np.searchsorted(plan.rows, words[0])]]
        if region.size:
            expected.append(own_attentions(model, clip, one)[:, :, -1, region].sum(axis=-1))
    model.model.set_attn_implementation({"text_config": "sdpa"})
    assert expected
    figures = figures_of(model, clip, about, Alignment(alpha=0.0))
    assert figures.gaze_prompts == len(expected)
    np.testing.assert_allclose(figures.gaze, np.mean(expected, axis=0), atol=1e-6)


def test_the_last_token_changes_no_other_figure(model: Any) -> None:
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=2)
    asked = [ask(clip, question) for question in clip.episode.questions][:2]
    with_gaze = figures_of(model, clip, asked, Alignment())
    gauge = AttentionGauge(*with_gaze.active.shape)
    gauge.expect([one.plan for one in asked], model.device)
    attention_pass.observe(model, asked, Alignment(), gauge.observe)
    without = gauge.figures()
    assert (with_gaze.rows, with_gaze.pairs, without.gaze_prompts) == (without.rows, without.pairs, 0)
    np.testing.assert_array_equal(with_gaze.active, without.active)
    for key, table in without.attn_mean.items():
        np.testing.assert_allclose(with_gaze.attn_mean[key], table, rtol=1e-5)
        np.testing.assert_allclose(with_gaze.attn_max[key], without.attn_max[key], rtol=1e-5)
