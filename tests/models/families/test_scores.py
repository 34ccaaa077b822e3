"""Scores of the further families: in batches, on the shared visual prefix, and by whole forward passes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from socialcli.alignment.attention import Alignment
from socialcli.api import ask, open_clip
from socialcli.inference.session import ClipSession
from tests.conftest import SAMPLE, sample_episodes, tiny_model

FURTHER = ["qwen3-vl", "qwen2-vl", "smolvlm2", "llava-onevision"]
ALIGNED = Alignment(layers="all")


@cache
def asked(family: str) -> tuple[ClipSession, list[Any]]:
    """Four questions on a clip of a sample episode."""
    episode = sample_episodes()[0]
    clip = open_clip(tiny_model(family), episode, media_root=str(SAMPLE), frames=3)
    return clip, [ask(clip, question) for question in episode.questions[:4]]


@pytest.mark.parametrize("family", FURTHER)
def test_a_question_has_the_same_scores_and_text_alone_and_in_a_batch(family: str) -> None:
    clip, questions = asked(family)
    assert len({one.encoded.length for one in questions}) > 1  # the batch is padded
    together = [answer.scores for answer in clip.score(questions, ALIGNED)]
    alone = [clip.score([one], ALIGNED)[0].scores for one in questions]
    assert max(np.abs(np.subtract(a, b)).max() for a, b in zip(together, alone, strict=True)) < 1e-5
    texts = [answer.text for answer in clip.generate(questions[:2], ALIGNED)]
    assert texts == [clip.generate([one], ALIGNED)[0].text for one in questions[:2]]


@pytest.mark.parametrize("family", FURTHER)
def test_scores_on_the_prefix_are_those_of_whole_forward_passes(family: str) -> None:
    clip, questions = asked(family)
    model = tiny_model(family)
    with torch.inference_mode():
        logits = model.forward(clip, questions).logits[:, -1].float()
    for one, row, answer in zip(questions, logits, clip.score(questions), strict=True):
        letters = [model.continuation_ids(model.letter_prefix + letter)[-1] for letter in one.prompt.letters]
        assert answer.scores == pytest.approx(row[letters].log_softmax(-1).tolist(), abs=1e-5)


@pytest.mark.parametrize("family", FURTHER)
def test_the_alignment_moves_the_scores(family: str) -> None:
    clip, questions = asked(family)
    plain, aligned = (clip.score(questions, condition) for condition in (None, ALIGNED))
    assert max(np.abs(np.subtract(a.scores, b.scores)).max() for a, b in zip(plain, aligned, strict=True)) > 1e-3
