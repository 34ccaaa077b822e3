"""(torch) The visual grid against the pixels: change one cell of one frame, and see which visual token changes most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from socialcli.alignment.grid import VisualGrid
from socialcli.conformance.checks import Case
from socialcli.conformance.scene import noise_frames
from socialcli.conformance.subject import Subject
from socialcli.errors import QuestionError
from socialcli.models.contract import Adapter
from socialcli.video.frames import Frame, FrameSet

# Width, height and number of frames; odd numbers, since some models merge frames in pairs.
_CLIPS = ((640, 360, 8), (360, 640, 3), (320, 240, 3), (640, 360, 2), (640, 360, 1))
_CELLS_PER_STEP = 3  # beside the one of each frame alone
_EDGE = 1e-6  # pixels by which rounding may put a cell's edge outside the frame


@dataclass(frozen=True, slots=True)
class Probe:
    """A cell whose pixels are changed in one frame: (step, row, column) of the grid."""

    frame: int
    cell: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Hit:
    """The token that changed most for a probe, and where the grid has it; None: nowhere."""

    probe: Probe
    token: int
    cell: tuple[int, int, int] | None
    change: float  # length of the difference of its embeddings

    @property
    def is_right(self) -> bool:
        """Whether it is the token of the cell that was changed."""
        return self.cell == self.probe.cell


def grid(subject: Subject) -> Iterator[Case]:
    """Probe clips of several sizes and lengths."""
    for width, height, count in _CLIPS:
        name = f"{width}x{height}, {count} frame{'s' if count > 1 else ''}"
        frames = noise_frames(width, height, count)
        try:
            yield probe_clip(name, subject.adapter, frames)
        except QuestionError as error:
            if count > 1:
                raise
            yield Case(name, "skipped", f"a single frame is refused: {error}")


def probe_clip(name: str, adapter: Adapter, frames: FrameSet) -> Case:
    """Probe every frame alone, then cells of all steps at once, since steps rarely see each other in a vision tower.

    Raises QuestionError for frames that the adapter refuses.
    """
    before = _Embedded.of(adapter, frames)
    if problem := _shape_problem(before.grid, len(frames.frames)):
        return Case(name, "failed", problem)
    alone, rounds = _probes(before.grid, frames)
    if not alone:
        return Case(name, "failed", "no cell that has a token lies wholly in the frame: `cells` are in its pixels")
    hits = [before.hit_alone(adapter, frames, probe) for probe in alone]
    if all(hit.is_right for hit in hits):
        for probes in rounds:
            hits += before.hits_together(adapter, frames, probes)
    shape = "x".join(map(str, before.grid.tokens.shape))
    seen = f"grid {shape}, {len(hits)} cells changed, {len(alone)} of them alone"
    if wrong := [hit for hit in hits if not hit.is_right]:
        detail = f"{seen}: {len(wrong)} change another token most; {diagnosis(wrong, before.grid)}"
        return Case(name, "failed", detail)
    return Case(name, "passed", seen)


def _probes(grid: VisualGrid, frames: FrameSet) -> tuple[list[Probe], list[list[Probe]]]:
    """A random cell of each frame, and rounds of random cells, one in each step."""
    draw = np.random.default_rng(1)
    cells = [_whole_cells(grid, frames, step) for step in range(len(grid.frames))]
    shown = [(step, members) for step, members in enumerate(grid.frames) if cells[step]]

    def probe(step: int, frame: int) -> Probe:
        return Probe(frame, (step, *cells[step][draw.integers(len(cells[step]))]))

    alone = [probe(step, frame) for step, members in shown for frame in members]
    rounds = [[probe(step, int(draw.choice(members))) for step, members in shown] for _ in range(_CELLS_PER_STEP)]
    return alone, rounds


def _shape_problem(found: VisualGrid, count: int) -> str | None:
    """What is wrong with a grid whatever the pixels; None: nothing."""
    shown = sorted(frame for frames in found.frames for frame in frames)
    if shown != list(range(count)):
        return f"the steps show the frames {shown}, not each of {count} once: are frames dropped or sampled again?"
    if found.tokens.shape != (len(found.frames), *found.cells.shape[:2]):
        return f"tokens have the shape {found.tokens.shape}, {len(found.frames)} steps cells {found.cells.shape[:2]}"
    named = found.tokens[found.tokens >= 0]
    if np.unique(named).size != named.size:
        return "a token stands for several cells"
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Embedded:
    """A clip's tokens as the text decoder gets them: (tokens, width)."""

    grid: VisualGrid
    tokens: Tensor

    @classmethod
    def of(cls, adapter: Adapter, frames: FrameSet) -> _Embedded:
        """Run the model on a prompt with `frames` until its decoder begins."""
        clip = adapter.encode_clip(frames)
        encoded = adapter.encode_prompt("Who is it?", (), clip)
        assert encoded.grid is not None  # the prompt has a video
        inputs = adapter.forward_inputs([encoded], clip)
        return cls(encoded.grid, decoder_input(adapter, inputs, encoded.grid.cross_attention))

    def hit_alone(self, adapter: Adapter, frames: FrameSet, probe: Probe) -> Hit:
        """The token, of the whole prompt, that changes most for a probe."""
        change = self._change(adapter, frames, [probe])
        return self._hit(probe, change, np.arange(change.numel()))

    def hits_together(self, adapter: Adapter, frames: FrameSet, probes: Sequence[Probe]) -> Iterator[Hit]:
        """The token of its step that changes most for each of the probes, one in each step.

        Steps see each other in few vision towers. A probe that seems wrong is made again alone.
        """
        change = self._change(adapter, frames, probes)
        for probe in probes:
            tokens = self.grid.tokens[probe.cell[0]].flatten()
            hit = self._hit(probe, change, tokens[tokens >= 0])
            yield hit if hit.is_right else self.hit_alone(adapter, frames, probe)

    def _change(self, adapter: Adapter, frames: FrameSet, probes: Sequence[Probe]) -> Tensor:
        """How far each token moves when the cells of the probes are changed, (tokens,)."""
        for probe in probes:
            frames = _changed(frames, probe.frame, self.grid.cells[probe.cell[1:]])
        change: Tensor = (_Embedded.of(adapter, frames).tokens - self.tokens).norm(dim=-1)
        return change

    def _hit(self, probe: Probe, change: Tensor, among: npt.NDArray[np.int64]) -> Hit:
        token = int(among[int(change[torch.from_numpy(among).to(change.device)].argmax())])
        return Hit(probe, token, _cell_of(token, self.grid), float(change[token]))


class _Reached(Exception):
    """Ends a forward pass where the decoder begins."""


@torch.inference_mode()
def decoder_input(adapter: Adapter, inputs: dict[str, Any], cross: bool) -> Tensor:
    """What the first decoder layer gets for each token of the one prompt in `inputs`, (tokens, width).

    With `cross` for each key of the cross-attention layers, which transformers passes as `cross_attention_states`.
    """
    caught: list[Tensor] = []

    def catch(_layer: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        if cross:
            caught.append(named["cross_attention_states"].flatten(0, -2))
        else:
            caught.append((arguments[0] if arguments else named["hidden_states"])[0])
        raise _Reached

    handle = adapter.decoder_layers[0].register_forward_pre_hook(catch, with_kwargs=True)
    try:
        adapter.model(**inputs)
    except _Reached:
        return caught[0].float()
    finally:
        handle.remove()
    raise AssertionError("the forward pass does not run the first of `decoder_layers`")


def diagnosis(wrong: Sequence[Hit], grid: VisualGrid) -> str:
    """What the wrong hits have in common, in words."""
    first = wrong[0]
    step, row, column = first.probe.cell
    found = "the token of no cell" if first.cell is None else "that of step {}, row {}, column {}".format(*first.cell)
    example = f"changing frame {first.probe.frame} in step {step}, row {row}, column {column} changes {found} most"
    if all(hit.change == 0 for hit in wrong):
        unseen = sorted({hit.probe.frame for hit in wrong})
        return f"changing frames {unseen} changes nothing: are frames dropped or sampled again?"
    steps = {None if hit.cell is None else hit.cell[0] - hit.probe.cell[0] for hit in wrong}
    places = {None if hit.cell is None else hit.cell[1:] == hit.probe.cell[1:] for hit in wrong}
    if places == {True}:
        return f"{example}: the steps are wrong" + _by(steps, "step")
    if all(_in_columns(hit, grid) for hit in wrong):
        return f"{example}: the grid is transposed, its tokens run row by row, its cells column by column"
    offsets = {hit.token - int(grid.tokens[hit.probe.cell]) for hit in wrong}
    return f"{example}: the cells are wrong" + _by(offsets, "token")


def _by(offsets: set[Any], unit: str) -> str:
    if len(offsets) > 1:
        return ""
    (offset,) = offsets
    return f", all by {offset:+d} {unit}{'s' if abs(offset) > 1 else ''}"


def _in_columns(hit: Hit, grid: VisualGrid) -> bool:
    """Whether the token that changed is the probed cell's if cells are counted column by column."""
    step, row, column = hit.probe.cell
    tokens = grid.tokens[step]
    return hit.token == int(tokens.flat[column * tokens.shape[0] + row])


def _cell_of(token: int, grid: VisualGrid) -> tuple[int, int, int] | None:
    found = np.argwhere(grid.tokens == token)
    return (int(found[0][0]), int(found[0][1]), int(found[0][2])) if len(found) else None


def _whole_cells(grid: VisualGrid, frames: FrameSet, step: int) -> list[tuple[int, int]]:
    """The (row, column) of a step's cells that lie in the frame and have a token; padding around it shows nothing."""
    inside = (grid.cells[..., :2] >= -_EDGE).all(axis=-1) & (grid.tokens[step] >= 0)
    inside &= (grid.cells[..., 2] <= frames.width + _EDGE) & (grid.cells[..., 3] <= frames.height + _EDGE)
    return [(int(row), int(column)) for row, column in np.argwhere(inside)]


def _changed(frames: FrameSet, index: int, cell: npt.NDArray[np.float64]) -> FrameSet:
    """The frames with the pixels wholly inside `cell` (x0, y0, x1, y1) inverted in one of them."""
    x0, y0 = (int(np.ceil(max(edge - _EDGE, 0))) for edge in cell[:2])
    x1, y1 = (int(np.floor(edge + _EDGE)) for edge in cell[2:])
    image = frames.frames[index].image.copy()
    image[y0:y1, x0:x1] = 255 - image[y0:y1, x0:x1]
    changed = list(frames.frames)
    changed[index] = Frame(frames.frames[index].time, image)
    return FrameSet(tuple(changed), frames.distinct)
