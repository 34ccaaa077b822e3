"""Where words look, against the attention of an independent dense implementation."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from socialcli.alignment.attention import Alignment
from socialcli.alignment.bias import PROBABILITY
from socialcli.episodes.records import Episode
from socialcli.verbs.inspect.attention import AttentionQuery, attention_maps
from socialcli.verbs.inspect.heads import HeadQuery
from socialcli.verbs.inspect.maps import AttentionMaps
from socialcli.verbs.inspect.report import Inspection
from tests.conftest import FAMILIES, sample_episodes, tiny_model
from tests.eager import dense_attention

from .samples import asked_and_inspected

ALL_HEADS = HeadQuery("all", "all")


def maps_of(family: str, episode: Episode, query: AttentionQuery) -> tuple[Any, Inspection, tuple[AttentionMaps, ...]]:
    """The first question as it was put to the model, its inspection, and its maps."""
    asked, inspection = asked_and_inspected(family, episode, frames=3)
    return asked, inspection, attention_maps(asked, inspection, query)


@cache
def dense_maps(family: str, aligned_layers: range, alpha: float, bias: str) -> np.ndarray[Any, Any]:
    """The attention of the first question in every layer and head, (layers, heads, tokens, tokens)."""
    model = tiny_model(family)
    asked, _ = asked_and_inspected(family, sample_episodes()[0], frames=3)
    with torch.inference_mode(), dense_attention(model, [asked.plan], aligned_layers, alpha, 5e-5, bias):
        output = model.model(**model.forward_inputs([asked.encoded], asked.clip.clip), output_attentions=True)
    return np.stack([layer[0].double().numpy() for layer in output.attentions])


@pytest.mark.parametrize("bias", ["published", "probability"])
@pytest.mark.parametrize("family", FAMILIES)
def test_plain_and_aligned_maps_are_those_of_the_dense_attention(family: str, bias: str) -> None:
    rule = PROBABILITY if bias == "probability" else Alignment().rule
    query = AttentionQuery(Alignment(layers="1-2", rule=rule), ALL_HEADS)
    _, inspection, found = maps_of(family, sample_episodes()[0], query)
    grid = inspection.grid
    assert grid is not None
    for maps in found:
        for shown, layers in ((maps.plain, range(0)), (maps.aligned, range(1, 3))):
            attention = dense_maps(family, layers, 1.0, bias)[:, :, list(maps.line.tokens)].mean(axis=(0, 1, 2))
            assert shown.shape == grid.tokens.shape
            assert np.abs(shown - attention[grid.tokens]).max() < 1e-5
            assert 0 < shown.sum() < 1
        assert np.abs(maps.plain - maps.aligned).max() > 1e-4
    speakers = {line.id for line in inspection.utterances if line.speaker is not None}
    assert {maps.line.id for maps in found} == speakers


@pytest.mark.parametrize("family", FAMILIES)
def test_only_the_heads_that_are_asked_for_are_shown(family: str) -> None:
    named = AttentionQuery(Alignment(layers="1-2"), HeadQuery(heads="1:0,2:3"))
    _, inspection, (maps, *_) = maps_of(family, sample_episodes()[0], named)
    assert inspection.grid is not None
    attention = dense_maps(family, range(1, 3), 1.0, "published")[[1, 2], [0, 3]][:, list(maps.line.tokens)]
    assert np.abs(maps.aligned - attention.mean(axis=(0, 1))[inspection.grid.tokens]).max() < 1e-5
    assert maps.shown.name == "heads 1:0, 2:3 (layer:head)"


def test_aligned_words_look_more_at_their_speaker(family: str) -> None:
    _, inspection, found = maps_of(family, sample_episodes()[0], AttentionQuery(Alignment(), HeadQuery()))
    assert inspection.grid is not None
    for maps in found:
        own = np.isin(inspection.grid.tokens, inspection.pairs[inspection.utterances.index(maps.line)])
        assert maps.aligned[own].sum() > maps.plain[own].sum()
        assert "active heads of layers 1-2" in maps.shown.name


def test_the_active_heads_are_those_that_pass_lambda(family: str) -> None:
    plan = asked_and_inspected(family, sample_episodes()[0], frames=3)[0].plan
    assert plan is not None
    attention = dense_maps(family, range(0), 1.0, "published")[0][:, plan.rows][..., plan.columns].mean(axis=(-1, -2))
    threshold = float(np.median(attention))
    query = AttentionQuery(Alignment(layers="0", threshold=threshold), HeadQuery())
    shown = maps_of(family, sample_episodes()[0], query)[2][0].shown
    assert shown.heads == {(0, head) for head in np.flatnonzero(attention > threshold).tolist()}
    assert shown.name == "2 active heads of layer 0"


def test_where_no_head_is_active_all_are_shown_and_both_maps_are_the_same() -> None:
    query = AttentionQuery(Alignment(threshold=1.0), HeadQuery())
    _, _, found = maps_of("internvl3", sample_episodes()[0], query)
    assert found[0].shown.name == "all 8 heads of layers 1-2, none of which is active"
    assert np.array_equal(found[0].plain, found[0].aligned)


def test_chosen_utterances_and_those_of_known_speakers_alone(episode: Episode) -> None:
    first, second, *others = episode.utterances
    unknown = replace(episode, utterances=(replace(first, speaker=None), second, *others))
    query = AttentionQuery(Alignment(), HeadQuery(), frozenset({first.id, second.id}))
    found = maps_of("internvl3", unknown, query)[2]
    assert [maps.line.id for maps in found] == [second.id]


def test_words_look_somewhere_also_where_nobody_has_a_box(episode: Episode) -> None:
    found = maps_of("internvl3", replace(episode, boxes=()), AttentionQuery(Alignment(), HeadQuery()))[2]
    assert all(0 < maps.plain.sum() < 1 and np.array_equal(maps.plain, maps.aligned) for maps in found)
    assert found


def test_without_video_there_is_nothing_to_look_at(episode: Episode) -> None:
    asked, inspection = asked_and_inspected("internvl3", episode, with_video=False)
    assert attention_maps(asked, inspection, AttentionQuery(Alignment(), HeadQuery())) == ()
