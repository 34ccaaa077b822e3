"""The Python interface, used as README.md and docs/python.md show it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from socialcli import aligned, ask, load_model, open_clip, read_episodes
from socialcli.alignment.attention import Alignment
from socialcli.errors import CheckpointError, UnknownNameError, VideoError

from .conftest import SAMPLE


def test_the_ten_lines(family: str) -> None:
    model = load_model(family, SAMPLE / "checkpoints" / family)
    episode = next(read_episodes(SAMPLE / "episodes.parquet")).episode
    assert episode is not None
    clip = open_clip(model, episode, media_root=SAMPLE, frames=2)
    for question in episode.questions:
        asked = ask(clip, question)
        (answer,) = clip.score([asked])
        assert answer.scores is not None and answer.choice is not None
        assert len(answer.scores) == len(asked.prompt.candidates)
        assert math.isclose(sum(map(math.exp, answer.scores)), 1, abs_tol=1e-9)
        assert answer.scores[answer.choice] == max(answer.scores)
    assert asked.plan is not None
    plain = model.model(**model.forward_inputs([asked.encoded], clip.clip)).logits
    with aligned(model, asked.plan) as report:
        raised = model.model(**model.forward_inputs([asked.encoded], clip.clip)).logits
        shorter = model.forward(clip, [asked]).logits
    after = model.model(**model.forward_inputs([asked.encoded], clip.clip)).logits
    assert report.active_share()[0] > 0
    assert (raised - plain).abs().max() > 1e-4
    assert (after == plain).all() and (shorter == raised).all()
    (changed,) = clip.score([asked], Alignment(alpha=2.0))
    assert changed.scores != answer.scores


def test_a_model_that_nobody_provides() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'internvl3'"):
        load_model("internvl")


def test_a_checkpoint_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="neither a folder nor an id"):
        load_model("internvl3", tmp_path / "nowhere")


def test_a_clip_that_is_missing(family: str, tmp_path: Path) -> None:
    model = load_model(family, SAMPLE / "checkpoints" / family)
    episode = next(read_episodes(str(SAMPLE / "episodes.parquet"))).episode
    assert episode is not None
    with pytest.raises(VideoError, match="is not under"):
        open_clip(model, episode, media_root=tmp_path)
