"""What socialcli uses of transformers beyond its documented interface: a release that moves it fails here, by name."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from transformers import DynamicCache

from socialcli.models.transformers_internals import (
    WITH_VISUAL_TEXTS,
    cache_argument,
    forward_with_cache,
    kept_logits,
    take_visual_texts,
)
from tests.conftest import noise_frames

FRAMES = noise_frames(64, 48, count=2)


@contextmanager
def no_warning(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Neither Python's way nor transformers' own, which otherwise says a thing once a process."""
    logger = logging.getLogger("transformers")
    propagates, logger.propagate = logger.propagate, True
    try:
        with warnings.catch_warnings(action="error"), caplog.at_level(logging.WARNING):
            yield
    finally:
        logger.propagate = propagates
    assert caplog.records == []


def test_a_processor_returns_the_text_in_place_of_the_video(model: Any) -> None:
    video, arguments = model.prepare_frames(FRAMES)
    words = f"before {model.processor.video_token} behind"
    output = model.processor(
        text=[words], videos=[video], do_sample_frames=False, return_tensors="pt", **WITH_VISUAL_TEXTS, **arguments
    )
    expanded = words.replace(model.processor.video_token, *take_visual_texts(output, model.processor.video_token, 1))
    assert "text_replacement_offsets" not in output
    assert model.processor.tokenizer(expanded)["input_ids"] == output["input_ids"][0].tolist()
    assert (output["input_ids"] == model.visual_token_id).sum() > 1


def test_a_cache_is_continued_without_a_word(model: Any, caplog: pytest.LogCaptureFixture) -> None:
    clip = model.encode_clip(FRAMES)
    prompt = model.encode_prompt("Who is it?", [], clip)
    positions, ids = model.positions(prompt, clip), torch.from_numpy(prompt.ids)[None]
    cache = DynamicCache(config=model.model.config)
    start = prompt.prefix
    with torch.inference_mode(), no_warning(caplog):
        forward_with_cache(
            model.model, cache, input_ids=ids[:, :start], position_ids=positions[..., :start], **clip.inputs
        )
        assert cache.get_seq_length() == start
        mask = torch.ones_like(ids)
        rest = {"input_ids": ids[:, start:], "attention_mask": mask, "position_ids": positions[..., start:]}
        continued = forward_with_cache(model.model, cache, **rest).logits[:, -1]
        whole = model.model(**model.forward_inputs([prompt], clip)).logits[:, -1]
    assert cache.get_seq_length() == prompt.length
    torch.testing.assert_close(continued, whole, rtol=0, atol=1e-4)


def test_the_name_of_the_cache_is_that_of_the_forward() -> None:
    def later(*, cache: Any = None) -> None: ...

    def earlier(*, past_key_values: Any = None) -> None: ...

    assert (cache_argument(later), cache_argument(earlier)) == ("cache", "past_key_values")


def test_the_logits_of_kept_tokens_are_found_whether_or_not_a_model_obeys() -> None:
    every, kept = torch.arange(2 * 5 * 3).reshape(2, 5, 3), torch.tensor([1, 4])
    assert kept_logits(every, kept).equal(every[:, kept])
    assert kept_logits(every[:, kept], kept).equal(every[:, kept])
