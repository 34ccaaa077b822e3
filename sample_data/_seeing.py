"""Teach a vision tower people's appearance, where they stand and where they point.

Over a person, the visual tokens learn to match the sum of five words: the colour of the shirt, the column and the row
of the frame where the person stands, and those of the person pointed at. Where nobody is, they learn to match an
embedding that the decoder ignores. This replaces the captions that train the projector of a published model. Nothing
reveals who is who.
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
from _documents import FACTS
from torch import Tensor
from torch.nn.functional import cross_entropy

from socialcli.alignment.grid import Cells, covered
from socialcli.episodes.records import Box
from socialcli.synth.episodes import draw_plot
from socialcli.synth.frames import pictures
from socialcli.synth.poses import Pose, chest
from socialcli.synth.settings import SynthSettings
from socialcli.video.frames import Frame, FrameSet

FRAMES = 8
DIRECTIONS = 16
_BATCH, _HELD_OUT = 6, 100  # clips
_FAR = 0.3  # weight of the distance from the words, relative to how well they can be distinguished


@dataclass(frozen=True, slots=True, eq=False)
class Lookout:
    """A clip as visual inputs, with the visual tokens over each person in each step and those over nobody."""

    inputs: Mapping[str, Tensor]
    over: Tensor  # (people * steps, visual tokens) bool
    facts: Tensor  # (people * steps, 5): number of the shirt's colour; column and row of the person; those of its aim
    directions: Tensor  # (people * steps,): the index in `DIRECTIONS` of the arm's direction
    nobody: Tensor  # (visual tokens,) bool: no box touches their cells


def look_out(adapter: Any, settings: SynthSettings, seed: int, index: int) -> Lookout:
    """Draw clip `index` of a world and find its people among the visual tokens."""
    world = draw_plot(settings, seed, index).world
    stride = settings.frames // FRAMES
    shown = list(pictures(world))[::stride]
    frames = [Frame(number / settings.fps, np.asarray(one.image)) for number, one in enumerate(shown)]
    clip = adapter.encode_clip(FrameSet(tuple(frames), len(frames)))
    height, width = clip.cells.shape[:2]
    moments = [stride * merged[0] for merged in clip.frames]
    poses = [world.poses(moment) for moment in moments]
    squares = [[_square(pose, world.size) for pose in everybody] for everybody in poses]
    over, facts, directions = [], [], []
    nobody = np.ones((len(clip.frames), height, width), dtype=np.bool_)
    for person, who in enumerate(world.people):
        for step, merged in enumerate(clip.frames):
            cells = np.zeros((len(clip.frames), height, width), dtype=np.bool_)
            for frame in merged:
                box = Box("", 0.0, *map(float, shown[frame].extents[person]))
                cells[step] |= covered(box, clip.cells)
                nobody[step] &= _beside(box, clip.cells)
            over.append(cells.reshape(-1))
            meant = world.gestures[world.stretch(moments[step])][person]
            shirt = FACTS[0].words.index(who.look.shirt)
            facts.append((shirt, *squares[step][person], *squares[step][meant]))
            x, y = poses[step][person].direction
            directions.append(round(math.atan2(y, x) / (2 * math.pi) * DIRECTIONS) % DIRECTIONS)
    return Lookout(
        clip.inputs,
        torch.from_numpy(np.stack(over)),
        torch.tensor(facts),
        torch.tensor(directions),
        torch.from_numpy(nobody.reshape(-1)),
    )


def _square(pose: Pose, size: tuple[int, int]) -> tuple[int, int]:
    """The column and row, of four each, of a person's chest in the frame."""
    at = chest(pose.foot, pose.height)
    column, row = (min(3, max(0, int(4 * at[side] / size[side]))) for side in (0, 1))
    return column, row


def _beside(box: Box, cells: Cells) -> npt.NDArray[np.bool_]:
    """The cells that a box does not touch."""
    aside = (cells[..., 2] <= box.x0) | (cells[..., 0] >= box.x1)
    beyond = (cells[..., 3] <= box.y0) | (cells[..., 1] >= box.y1)
    apart: npt.NDArray[np.bool_] = aside | beyond
    return apart


def learn(
    adapter: Any,
    words: Sequence[Sequence[int]],
    background: Tensor,
    lookouts: Sequence[Lookout],
    steps: int,
    rate: float,
) -> None:
    """Train the mean of the visual tokens over a person to be the sum of the embeddings of five words.

    `words` are the tokens of the colours, and of the columns and rows of places and aims; `background` is the target
    of tokens over nobody. The direction of an arm is learnt as well, as a step towards its aim. The last clips are held
    out for evaluation.
    """
    model = adapter.model
    tables = [model.get_input_embeddings().weight[list(tokens)].detach() for tokens in words]
    learnt = [
        weight for name, weight in model.named_parameters() if "language_model" not in name and "lm_head" not in name
    ]
    pointing = torch.nn.Linear(tables[0].shape[1], DIRECTIONS)
    learnt += pointing.parameters()
    optimizer = torch.optim.AdamW(learnt, lr=rate, weight_decay=0.01)
    known = len(lookouts) - _HELD_OUT
    begin = time.monotonic()
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, step / 100) * 0.5 * (1 + math.cos(math.pi * step / steps))
        optimizer.zero_grad()
        for index in torch.randint(known, (_BATCH,)).tolist():
            seen, rest = _seen(model, lookouts[index])
            facts = lookouts[index].facts.T
            meant = sum(table[fact] for table, fact in zip(tables, facts, strict=True))
            far = (seen - meant).square().sum(dim=-1).mean() + (rest - background).square().sum(dim=-1).mean()
            loss = sum(cross_entropy(seen @ table.T, fact) for table, fact in zip(tables, facts, strict=True))
            loss = loss + cross_entropy(pointing(seen), lookouts[index].directions)
            ((loss + _FAR * far) / _BATCH).backward()
        torch.nn.utils.clip_grad_norm_(learnt, 1.0)
        optimizer.step()
        if step % 100 == 0:
            right = zip(FACTS, _right(model, tables, lookouts[known:]).tolist(), strict=True)
            shares = ", ".join(f"{fact.name} {share:.3f}" for fact, share in right)
            print(f"seeing {step}: {shares}, {time.monotonic() - begin:.0f} s", file=sys.stderr)


@torch.no_grad()
def _right(model: Any, tables: Sequence[Tensor], lookouts: Sequence[Lookout]) -> Tensor:
    """For each fact, the share of people for whom it is recognized, (5,)."""
    hits = []
    for one in lookouts:
        seen = _seen(model, one)[0]
        hits.append(torch.stack([(seen @ table.T).argmax(dim=-1) for table in tables], dim=-1) == one.facts)
    return torch.cat(hits).float().mean(dim=0)


def _seen(model: Any, lookout: Lookout) -> tuple[Tensor, Tensor]:
    """The mean of the visual tokens over each person in each step, (people * steps, width); the tokens over nobody."""
    video = getattr(model.model, "get_video_features", None)  # InternVL3 treats the frames of a video as pictures
    features = (video or model.model.get_image_features)(**lookout.inputs)
    features = getattr(features, "pooler_output", features)
    if not isinstance(features, Tensor):
        features = torch.cat(list(features))
    over = lookout.over.float()
    features = features.reshape(over.shape[1], -1)
    return (over @ features) / over.sum(dim=-1, keepdim=True).clamp(min=1), features[lookout.nobody]
