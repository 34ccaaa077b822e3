"""Regions of the model are those of its eager attention; `people` equals a dense softmax over the union of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from socialcli.alignment.attention import Alignment
from socialcli.alignment.grid import covered
from socialcli.alignment.heads.selectors import RANDOM, TOP
from socialcli.alignment.hooks import layers_of
from socialcli.alignment.plan import AlignmentPlan, utterance_steps
from socialcli.alignment.regions.sources import GroundingHeads, Regions
from socialcli.alignment.steering.modes import Steering
from socialcli.api import ask, open_clip
from socialcli.episodes.records import Episode
from socialcli.episodes.tracks import speaker_boxes
from socialcli.errors import ModelError
from socialcli.inference.answer_modes import SCORE
from socialcli.inference.answers import answer_batch
from socialcli.inference.clip import ClipQuestion
from socialcli.inference.conditions import continue_under
from tests.conftest import SAMPLE, sample_episodes, tiny_model
from tests.eager import dense_attention

TOLERANCE = 1e-4
SHARE = 0.4
LAMBDA = 2e-4  # below the mean attention of most heads of the tiny models
PEOPLE = Steering(regions=Regions("people"))
TWO_KINDS = ("llava-next-video", "qwen2.5-vl")  # a step a frame, and frames merged in time
AMONG_MEANS = {"llava-next-video": 1.6e-3, "qwen2.5-vl": 1.5e-3}  # lambdas between those of the heads


def by_model(**heads: Any) -> Regions:
    return Regions("model", SHARE, GroundingHeads(**{"threshold": LAMBDA, **heads}))


def short_clip(model: Any, episode: Episode | None = None) -> list[ClipQuestion]:
    clip = open_clip(model, episode or sample_episodes()[0], SAMPLE, frames=4)
    return [ask(clip, question) for question in clip.episode.questions]


def said_by(one: ClipQuestion) -> dict[str, list[str]]:
    """The lines of each speaker as the question's prompt has them."""
    said: dict[str, list[str]] = {}
    for line, (start, end) in zip(one.prompt.utterances, one.prompt.spans, strict=True):
        if line.speaker is not None:
            said.setdefault(line.speaker, []).append(one.prompt.text[start:end])
    return said


def eager_attention(
    model: Any, one: ClipQuestion, lines: Sequence[str], layers: Sequence[int], threshold: float
) -> tuple[Any, int]:
    """The attention of a speaker's lines to the visual tokens, (N,), from every score of the whole prompt.

    And the number of active heads.
    """
    head = "Transcript:\n"
    starts = np.cumsum([len(head), *(len(line) + 1 for line in lines)])[:-1].tolist()
    spans = [(start, start + len(line)) for start, line in zip(starts, lines, strict=True)]
    encoded = model.encode_prompt(head + "\n".join(lines), spans, one.clip.clip)
    with torch.inference_mode(), dense_attention(model, [], [], 1.0, 0.0):
        inputs = model.forward_inputs([encoded], one.clip.clip)
        output = model.model(**inputs, output_attentions=True)
    rows, columns = np.unique(np.concatenate(encoded.token_spans)), encoded.grid.shown
    found = []
    for layer in layers:
        for attention in output.attentions[layer][0].numpy():
            if attention[np.ix_(rows, columns)].mean() > threshold:
                found.append(np.mean([attention[np.ix_(span, columns)].mean(0) for span in encoded.token_spans], 0))
    return np.mean(found, axis=0), len(found)


@pytest.mark.parametrize("family", TWO_KINDS)
def test_regions_of_the_model_are_those_of_its_eager_attention(family: str) -> None:
    model = tiny_model(family)
    one = short_clip(model)[0]
    regions, layers = by_model(threshold=AMONG_MEANS[family]), Alignment().layers_of(layers_of(model))
    seen = one.clip.steered(one, Steering(regions=regions))
    assert seen is not None
    assert regions.heads is not None
    assert set(seen.regions) == set(said_by(one))
    for speaker, lines in said_by(one).items():
        expected, heads = eager_attention(model, one, lines, layers, AMONG_MEANS[family])
        assert 0 < heads < 8
        attention = one.clip.regions.attention(tuple(lines), regions.heads)
        assert attention is not None
        of_tokens = dict(zip(seen.grid.tokens.ravel().tolist(), attention.ravel().tolist(), strict=True))
        assert np.abs([of_tokens[token] for token in seen.grid.shown.tolist()] - expected).max() < TOLERANCE
        for step, tokens in enumerate(seen.regions[speaker].tokens):
            places = np.searchsorted(seen.grid.shown, np.sort(seen.grid.tokens[step].ravel()))
            smallest_kept = expected[np.searchsorted(seen.grid.shown, tokens)]
            whole = expected[places].sum()
            assert smallest_kept.sum() >= SHARE * whole - TOLERANCE
            assert smallest_kept.sum() - smallest_kept.min() < SHARE * whole + TOLERANCE  # one fewer is too few
            assert np.sort(expected[places])[-tokens.size :].sum() == pytest.approx(smallest_kept.sum(), abs=TOLERANCE)


@pytest.mark.parametrize("heads", [{"selector": TOP, "max_heads": 2}, {"max_heads": 1}])
def test_heads_that_are_known_after_the_last_layer_give_the_regions_of_these_heads(heads: dict[str, Any]) -> None:
    one = short_clip(tiny_model("llava-next-video"))[0]
    lines = tuple(next(iter(said_by(one).values())))
    found = one.clip.regions.attention(lines, GroundingHeads(threshold=LAMBDA, layers="1-2", **heads))
    every = [(layer, head) for layer in (1, 2) for head in range(4)]
    pairs = [frozenset({a, b}) for a in every for b in every] if heads["max_heads"] == 2 else [{a} for a in every]
    alone = [one.clip.regions.attention(lines, GroundingHeads(heads=frozenset(pair))) for pair in pairs]
    assert found is not None
    assert any(other is not None and np.allclose(found, other, atol=1e-7) for other in alone)


def test_a_selector_that_names_heads_names_those_of_the_first_pass() -> None:
    one = short_clip(tiny_model("llava-next-video"))[0]
    lines = tuple(next(iter(said_by(one).values())))
    drawn = GroundingHeads(selector=RANDOM, max_heads=1, seed=3, layers="0-0")
    found = one.clip.regions.attention(lines, drawn)
    each = [one.clip.regions.attention(lines, GroundingHeads(heads=frozenset({(0, head)}))) for head in range(4)]
    assert sum(bool(np.array_equal(found, other)) for other in each) == 1


def test_without_an_active_head_there_is_no_region_and_the_answer_is_the_plain_one(model: Any) -> None:
    asked = short_clip(model)[:2]
    nothing = Alignment(steering=Steering(regions=by_model(threshold=0.99)))
    for regions in (nothing, Alignment(steering=Steering(regions=Regions("none")))):
        plain, found = answer_batch(model, asked, [None, regions], SCORE)
        assert [one.scores for one in plain] == [one.scores for one in found]
        assert {one.aligned.active_heads for one in found} == {0}


def test_boxes_decide_nothing_and_words_do(model: Any) -> None:
    episode = sample_episodes()[0]
    steering = Steering(regions=by_model())
    with_boxes, without = (short_clip(model, one) for one in (episode, replace(episode, boxes=())))
    for one, other in zip(with_boxes, without, strict=True):
        assert_same(one.plan_under(steering), other.plan_under(steering))
    plan = without[0].plan_under(steering)
    assert plan is not None
    assert plan.pairs.any()
    assert without[0].plan is not None
    assert not without[0].plan.columns.size


def assert_same(one: AlignmentPlan | None, other: AlignmentPlan | None) -> None:
    assert one is not None
    assert other is not None
    assert np.array_equal(one.columns, other.columns)
    assert np.array_equal(one.pairs, other.pairs)


def test_a_hidden_name_stays_hidden_in_the_first_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llava-next-video")
    asked = next(one for one in short_clip(model) if one.question.task == "mentioned")
    span, line = asked.question.span, asked.prompt.asked
    assert span is not None
    assert line is not None
    name, encode, texts = line.text[slice(*span)], model.encode_prompt, []
    monkeypatch.setattr(model, "encode_prompt", lambda text, *rest: texts.append(text) or encode(text, *rest))
    asked.plan_under(Steering(regions=by_model()))
    (shown,) = [text for text in texts if "[...]" in text]
    assert name not in shown
    assert len(texts) == len(said_by(asked))


def test_the_same_regions_whatever_the_batch(model: Any) -> None:
    regions = Alignment(threshold=LAMBDA, steering=Steering(regions=by_model()))
    together = short_clip(model)
    answer_batch(model, together, [None, regions], SCORE)
    for one, alone in zip(together, short_clip(model), strict=True):
        answer_batch(model, [alone], [regions], SCORE)
        assert_same(one.plan_under(regions.steering), alone.plan_under(regions.steering))


def test_questions_with_the_same_words_share_a_first_pass() -> None:
    passes: list[Any] = []
    asked = [one for one in short_clip(tiny_model("llava-next-video")) if one.question.task in ("target", "coref")]
    assert len(asked) > 1
    first, steering = asked[0].clip.regions, Steering(regions=by_model())
    inner = first._attention_of
    first._attention_of = lambda *query: passes.append(query) or inner(*query)
    plans = [one.plan_under(steering) for one in asked]
    assert len(passes) == len(said_by(asked[0]))
    assert all(plan is plans[0] for plan in plans)


def test_attention_that_is_no_number_fails_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model("llava-next-video")
    (one, *_) = short_clip(model)
    monkeypatch.setattr(np, "isfinite", lambda values: np.zeros(np.shape(values), dtype=np.bool_))
    with pytest.raises(ModelError, match="not finite"):
        one.plan_under(Steering(regions=by_model()))


@pytest.mark.parametrize(
    "arguments", [("boxes", 0.5), ("people", None, GroundingHeads()), ("model",), ("model", 0.0, GroundingHeads())]
)
def test_regions_that_contradict_themselves_are_an_error(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="share"):
        Regions(*arguments)


def union_written_out(one: ClipQuestion) -> tuple[Any, ...]:
    """Rows, columns and pairs of `people`, from the boxes and the cells alone."""
    grid, frames = one.encoded.grid, one.frames
    assert grid is not None
    assert frames is not None
    tracks = speaker_boxes(one.episode.boxes, frames.times)
    anyone = [
        {
            int(token)
            for frame in merged
            for track in tracks.values()
            if (box := track[frame]) is not None
            for token in grid.tokens[step][covered(box, grid.cells)]
        }
        for step, merged in enumerate(grid.frames)
    ]
    columns = sorted(set().union(*anyone))
    rows = sorted({int(token) for span in one.encoded.token_spans for token in span})
    pairs = np.zeros((len(rows), len(columns)), dtype=np.bool_)
    for line, span in zip(one.prompt.utterances, one.encoded.token_spans, strict=True):
        shown = set().union(*(anyone[step] for step in utterance_steps(line, frames.times, grid)))
        for token in span.tolist():
            pairs[rows.index(token)] |= np.isin(columns, sorted(shown))
    return np.array(rows), np.array(columns), pairs


@pytest.mark.parametrize("family", TWO_KINDS)
def test_people_equal_the_dense_formula_with_the_union_written_out(family: str) -> None:
    model, episode = tiny_model(family), sample_episodes()[0]
    unknown = replace(episode.utterances[1], speaker=None)  # nobody knows who said it, and it does not matter
    episode = replace(episode, utterances=(episode.utterances[0], unknown, *episode.utterances[2:]))
    asked = [one for one in short_clip(model, episode) if one.question.task != "target"][:3]
    alignment = Alignment(threshold=LAMBDA, steering=PEOPLE)
    layers = alignment.layers_of(layers_of(model))
    expected = []
    for one in asked:
        rows, columns, pairs = union_written_out(one)
        plan = AlignmentPlan(rows, columns, pairs, np.zeros_like(pairs))
        with torch.inference_mode(), dense_attention(model, [plan], layers, alignment.alpha, alignment.threshold):
            output = model.model(**model.forward_inputs([one.encoded], one.clip.clip), logits_to_keep=1)
        expected.append(output.logits[0, -1].float())
    for batch in (1, 3):
        parts = [asked[start : start + batch] for start in range(0, len(asked), batch)]
        found = [state.state.logits for part in parts for state in continue_under(model, part, [alignment])]
        assert float((torch.cat(found) - torch.stack(expected)).abs().max()) < TOLERANCE
    boxes = [state.state.logits for state in continue_under(model, asked, [Alignment(threshold=LAMBDA)])]
    assert float((torch.cat(boxes) - torch.stack(expected)).abs().max()) > 10 * TOLERANCE
