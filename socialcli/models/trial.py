"""(torch) One small prompt through a newly loaded model, so that a broken one fails before the work begins."""

from __future__ import annotations

import numpy as np
import torch

from socialcli.errors import CheckpointError, QuestionError
from socialcli.models.contract import Adapter
from socialcli.video.frames import Frame, FrameSet

_SIDE = 64  # pixels: few visual tokens in every family


def try_out(adapter: Adapter, checkpoint: str, forward: bool = True) -> None:
    """Ask the shortest question about one black frame; without `forward`, only encode it.

    A configuration can fit all weights and still not compute: heads that do not divide, an id of visual tokens that
    the processor does not use. Raises CheckpointError for what would fail every question; errors of transformers pass
    through. The answer is ignored.
    """
    frames = FrameSet((Frame(0.0, np.zeros((_SIDE, _SIDE, 3), dtype=np.uint8)),), distinct=1)
    try:
        clip = adapter.encode_clip(frames)
        prompt = adapter.encode_prompt("?", (), clip)
    except QuestionError as error:
        raise CheckpointError(f"checkpoint {checkpoint!r} cannot answer questions: {error}; fetch it again") from error
    if forward:
        with torch.inference_mode():
            adapter.model(**adapter.forward_inputs([prompt], clip), use_cache=True, logits_to_keep=1)
