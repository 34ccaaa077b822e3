"""(torch) One small prompt through a newly loaded model, so that a broken one fails before the work begins."""

from __future__ import annotations

import numpy as np
import torch
from transformers import DynamicCache

from socialcli.alignment.attention import Alignment, aligned
from socialcli.alignment.plan import AlignmentPlan
from socialcli.errors import CheckpointError, ModelError, QuestionError
from socialcli.models.contract import Adapter, EncodedClip, EncodedPrompt
from socialcli.models.transformers_internals import CACHE_LAYERS, LAYER_TYPES
from socialcli.video.frames import Frame, FrameSet

_SIDE = 64  # pixels: few visual tokens in every family
_FRAMES = 2  # some processors refuse a single one


def try_out(adapter: Adapter, checkpoint: str, forward: bool = True) -> None:
    """Ask the shortest question about black frames, under an alignment of strength 0; or only encode it.

    A configuration can fit all weights and still not compute: heads that do not divide, an id of visual tokens that
    the processor does not use. Or it computes, with attention that cannot be aligned exactly. Raises CheckpointError
    for what would fail every question; errors of transformers pass through. The answer is ignored.
    """
    image = np.zeros((_SIDE, _SIDE, 3), dtype=np.uint8)
    frames = FrameSet(tuple(Frame(float(second), image) for second in range(_FRAMES)), distinct=1)
    try:
        clip = adapter.encode_clip(frames)
        prompt = adapter.encode_prompt("?", ((0, 1),), clip)
    except QuestionError as error:
        raise CheckpointError(f"checkpoint {checkpoint!r} cannot answer questions: {error}; fetch it again") from error
    except NotImplementedError as error:  # as `socialcli plugin new` leaves a member that it could not infer
        raise CheckpointError(f"the adapter of {adapter.spec.name} is not finished: {error}") from error
    try:
        check_kinds(adapter)
        if forward:
            _run_aligned(adapter, prompt, clip)
    except ModelError as error:
        raise CheckpointError(f"checkpoint {checkpoint!r} cannot be aligned: {error}") from error


def check_kinds(adapter: Adapter) -> None:
    """Raise ModelError for kinds of decoder layers, or of their KV caches, that have no exact alignment."""
    config = adapter.model.config.get_text_config()
    for layer, kind in enumerate(getattr(config, "layer_types", None) or ()):
        if kind not in LAYER_TYPES:
            raise ModelError(f"its layer {layer} is of the kind {kind!r}; known are {', '.join(sorted(LAYER_TYPES))}")
    for layer, cache in enumerate(DynamicCache(config=adapter.model.config).layers):
        if type(cache) not in CACHE_LAYERS:
            raise ModelError(f"the KV cache of its layer {layer} is of the kind {type(cache).__name__}")
    if not adapter.alignable_layers:
        raise ModelError("none of its layers has softmax attention to visual tokens that later tokens read")


def _run_aligned(adapter: Adapter, prompt: EncodedPrompt, clip: EncodedClip) -> None:
    """Every layer that can be aligned must run the aligned attention; an alpha of 0 changes nothing."""
    grid, rows = prompt.grid, prompt.token_spans[0]
    assert grid is not None  # the prompt has a clip
    columns = grid.shown
    pairs = np.ones((rows.size, columns.size), dtype=np.bool_)
    plan = AlignmentPlan(rows, columns, pairs, ~pairs, cross_attention=grid.cross_attention)
    with torch.inference_mode(), aligned(adapter, plan, Alignment(alpha=0.0, layers="all")) as report:
        adapter.model(**adapter.forward_inputs([prompt], clip), use_cache=True, logits_to_keep=1)
    for layer in adapter.alignable_layers:
        if layer not in report.layers:
            module = type(adapter.layers[layer]).__name__
            raise ModelError(f"its layer {layer} ({module}) does not use transformers' AttentionInterface")
