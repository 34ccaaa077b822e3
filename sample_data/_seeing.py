"""A vision tower learns the colours of shirts: over a person, the visual tokens come to be like the colour's word.

Where nobody is, they come to be like something that the decoder does not listen to. What captions teach the projector
of a published model, the world's pictures teach here. Nothing says who is who.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from socialcli.alignment.grid import Cells, covered
from socialcli.episodes.records import Box
from socialcli.synth.episodes import draw_plot
from socialcli.synth.film import pictures
from socialcli.synth.settings import SynthSettings
from socialcli.video.frames import Frame, FrameSet

FRAMES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Lookout:
    """A clip as the model's visual inputs, the visual tokens over each person in each step and those over nobody."""

    inputs: Mapping[str, Tensor]
    over: Tensor  # (people * steps, visual tokens) bool
    shirts: Tensor  # (people * steps,) numbers of colours
    nobody: Tensor  # (visual tokens,) bool: no box so much as touches their cells


def look_out(adapter: Any, settings: SynthSettings, colours: Sequence[str], seed: int, index: int) -> Lookout:
    """Draw clip `index` of a world, and find its people among the visual tokens."""
    world = draw_plot(settings, seed, index).world
    shown = list(pictures(world))[:: settings.frames // FRAMES]
    frames = [Frame(number / settings.fps, np.asarray(one.image)) for number, one in enumerate(shown)]
    clip = adapter.encode_clip(FrameSet(tuple(frames), len(frames)))
    height, width = clip.cells.shape[:2]
    over, shirts = [], []
    nobody = np.ones((len(clip.frames), height, width), dtype=np.bool_)
    for person, who in enumerate(world.people):
        for step, merged in enumerate(clip.frames):
            cells = np.zeros((len(clip.frames), height, width), dtype=np.bool_)
            for frame in merged:
                box = Box("", 0.0, *map(float, shown[frame].extents[person]))
                cells[step] |= covered(box, clip.cells)
                nobody[step] &= ~_touched(box, clip.cells)
            over.append(cells.reshape(-1))
            shirts.append(colours.index(who.look.shirt))
    return Lookout(
        clip.inputs, torch.from_numpy(np.stack(over)), torch.tensor(shirts), torch.from_numpy(nobody.reshape(-1))
    )


def _touched(box: Box, cells: Cells) -> npt.NDArray[np.bool_]:
    aside = (cells[..., 2] <= box.x0) | (cells[..., 0] >= box.x1)
    beyond = (cells[..., 3] <= box.y0) | (cells[..., 1] >= box.y1)
    apart: npt.NDArray[np.bool_] = aside | beyond
    return ~apart


def learn(
    adapter: Any, words: Sequence[int], background: Tensor, lookouts: Sequence[Lookout], steps: int, rate: float
) -> None:
    """Learn that the mean of the visual tokens over a person is the embedding of the shirt's colour's word.

    `words` are the tokens of the colours, `background` is what the tokens over nobody are to be.
    The last tenth of the clips is not learnt, but tells how well it goes.
    """
    model = adapter.model
    targets = model.get_input_embeddings().weight[list(words)].detach()
    learnt = [
        weight for name, weight in model.named_parameters() if "language_model" not in name and "lm_head" not in name
    ]
    optimizer = torch.optim.AdamW(learnt, lr=rate, weight_decay=0.01)
    known = len(lookouts) - len(lookouts) // 10
    begin = time.monotonic()
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, step / 100) * 0.5 * (1 + math.cos(math.pi * step / steps))
        optimizer.zero_grad()
        for index in torch.randint(known, (6,)).tolist():
            (seen, rest), shirts = _seen(model, lookouts[index]), lookouts[index].shirts
            far = (seen - targets[shirts]).square().sum(dim=-1).mean() + (rest - background).square().sum(dim=-1).mean()
            loss = cross_entropy(seen @ targets.T, shirts) + 0.3 * far
            (loss / 6).backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        if step % 100 == 0:
            with torch.no_grad():
                hits = [(_seen(model, one)[0] @ targets.T).argmax(dim=-1) == one.shirts for one in lookouts[known:]]
            print(
                f"seeing {step}: colour {torch.cat(hits).float().mean():.3f}, {time.monotonic() - begin:.0f} s",
                file=sys.stderr,
            )


def _seen(model: Any, lookout: Lookout) -> tuple[Tensor, Tensor]:
    """The mean of the visual tokens over each person in each step, (people * steps, width); the tokens over nobody."""
    video = getattr(model.model, "get_video_features", None)  # InternVL3 takes the frames of a video as pictures
    features = (video or model.model.get_image_features)(**lookout.inputs)
    features = getattr(features, "pooler_output", features)
    if not isinstance(features, Tensor):
        features = torch.cat(list(features))
    over = lookout.over.float()
    features = features.reshape(over.shape[1], -1)
    return (over @ features) / over.sum(dim=-1, keepdim=True).clamp(min=1), features[lookout.nobody]
