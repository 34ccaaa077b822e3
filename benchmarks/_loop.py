"""The plain loop of typical research code: every question from the video file on, eager attention patched by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from _eager import EagerAlignment, eager
from _passes import letter_ids

from socialcli.inference.clip import ClipQuestion
from socialcli.video.sampling import sample_frames


@torch.inference_mode()
def loop_choice(adapter: Any, video: Path, asked: ClipQuestion, layers: range, new_tokens: int) -> int:
    """Answer one question as a loop over a data set does, aligned in `layers`; the candidate it chooses.

    The prompt's text, the frame times and the plan are those of the run, so that both do the same work; the time to
    create the plan is not counted. Raises RuntimeError if the prompt's tokens differ.
    """
    frames = sample_frames(video, 8)
    pixels, arguments = adapter.prepare_frames(frames)
    message = {"role": "user", "content": [{"type": "video"}, {"type": "text", "text": asked.prompt.text}]}
    text = adapter.processor.apply_chat_template([message], add_generation_prompt=True, tokenize=False)
    inputs = adapter.processor(
        text=[text], videos=[pixels], do_sample_frames=False, return_tensors="pt", **arguments
    ).to(adapter.device)
    if not np.array_equal(inputs["input_ids"][0].cpu().numpy(), asked.encoded.ids):
        raise RuntimeError(f"{adapter.spec.name}: the tokens of the loop's prompt differ from the run's")
    assert asked.plan is not None  # the benchmarks' clips all have a video
    with eager(adapter.model, EagerAlignment(asked.plan, layers)):
        output = adapter.model.generate(
            **inputs,
            max_new_tokens=new_tokens,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
    return int(output.logits[0][0][letter_ids(adapter, asked)].argmax())
