"""Every published layout loads, and scores as transformers does with the processor's own conversation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import numpy as np
import pytest
import torch
from transformers import AutoProcessor
from transformers.video_utils import VideoMetadata

from socialcli.api import ask, load_model, open_clip

from ..conftest import SAMPLE, sample_episodes
from .conftest import Narrow
from .folders import LAYOUTS, into_cache
from .narrow import PUBLISHED, Published

FRAMES = 2


@lru_cache(maxsize=1)
def plain(folder: Path, published: Published) -> tuple[Any, Any]:
    """The checkpoint as transformers' own classes load it."""
    model = published.model_class.from_pretrained(folder, dtype=torch.float32).eval()
    return model, AutoProcessor.from_pretrained(folder)


def own_scores(model: Any) -> tuple[Any, Any, Sequence[float]]:
    """A clip, a question on it, and the candidates' log-probabilities as socialcli computes them."""
    clip = open_clip(model, sample_episodes()[0], SAMPLE, frames=FRAMES)
    asked = ask(clip, clip.episode.questions[0])
    (answer,) = clip.score([asked])
    return clip, asked, answer.scores


@torch.inference_mode()
def plain_scores(folder: Path, published: Published, adapter: Any, clip: Any, asked: Any) -> Sequence[float]:
    """The same from one forward of transformers, on what its processor makes of the conversation.

    Positions in time, height and width come from the adapter: transformers' own changed with its versions.
    """
    model, processor = plain(folder, published)
    content = [{"type": "video"}, {"type": "text", "text": asked.prompt.text}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    video = np.stack([frame.image for frame in clip.frames.frames])
    timing = VideoMetadata(total_num_frames=FRAMES, fps=clip.frames.fps, frames_indices=list(range(FRAMES)))
    more = {"video_metadata": [timing]} if published.model == "qwen2.5-vl" else {}
    inputs = processor(text=[text], videos=[video], do_sample_frames=False, return_tensors="pt", **more)
    inputs.pop("video_metadata", None)
    if published.model == "qwen2.5-vl":
        inputs["position_ids"] = adapter.positions(asked.encoded, clip.clip)
    assert inputs["input_ids"][0].tolist() == asked.encoded.ids.tolist()
    logits = model(**inputs).logits[0, -1]
    vocabulary = processor.tokenizer.get_vocab()
    letters = [vocabulary[published.letter.replace("A", letter)] for letter in asked.prompt.letters]
    scores: list[float] = logits[letters].double().log_softmax(-1).tolist()
    return scores


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("name", list(PUBLISHED))  # the outer loop, so that `plain` loads each model once
def test_a_published_layout_scores_as_transformers_does(narrow: Narrow, name: str, layout: str) -> None:
    published = PUBLISHED[name]
    model = load_model(published.model, narrow(name, layout), frame_fit=published.frame_fit)
    clip, asked, scores = own_scores(model)
    expected = plain_scores(narrow(name, "new"), published, model, clip, asked)
    assert np.ptp(expected) > 1e-2
    assert np.abs(np.subtract(scores, expected)).max() < 1e-5


@pytest.mark.parametrize("main", [True, False])
@pytest.mark.parametrize("name", ["llava-7b", "qwen-7b", "internvl-8b"])
def test_the_default_checkpoint_loads_from_the_hubs_cache(
    narrow: Narrow, name: str, main: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    published = PUBLISHED[name]
    snapshot = into_cache(narrow(name, "no-video-config"), tmp_path, published.hub_id, main=main)
    model = load_model(published.model, frame_fit=published.frame_fit)
    assert model.folder == snapshot
    clip, asked, scores = own_scores(model)
    expected = plain_scores(narrow(name, "new"), published, model, clip, asked)
    assert np.abs(np.subtract(scores, expected)).max() < 1e-5
