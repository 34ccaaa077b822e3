"""(torch) The rule of the grid: steps, rows and columns of a clip, and the token of each cell.

A rule counts as found only if it explains every observation, and if the processor's pixels come from where the rule
says, measured by ramps of colour. Everything else is left to the author, with what was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isqrt

import numpy as np

from socialcli.verbs.plugin.new.facts import CellRule, GridRule, SquareGrid, ThwGrid, UnknownGrid
from socialcli.verbs.plugin.new.reading.attributes import Attributes
from socialcli.verbs.plugin.new.reading.calls import Caller
from socialcli.verbs.plugin.new.reading.layout import FRAMES, Images, Patches, measure, pixel_output
from socialcli.verbs.plugin.new.reading.observation import Observation

_RAMPS = ((320, 240), (240, 416))  # pixels; one clip is wide, one is high
_NEAR = 0.3  # of a cell: the largest error of its measured centre


@dataclass(frozen=True, slots=True)
class Found:
    """The rule of the grid, and of its tokens."""

    grid: GridRule
    cells: CellRule = field(default_factory=CellRule)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rules are held to."""

    caller: Caller
    attributes: Attributes
    observations: Sequence[Observation]  # of clips that move
    still: Observation
    token_id: int

    @property
    def all(self) -> tuple[Observation, ...]:
        """All observations."""
        return (*self.observations, self.still)


def find_grid(evidence: Evidence) -> Found:
    """The rule that explains the observations; `UnknownGrid` where none does."""
    if (found := _thw(evidence)) is not None:
        return found
    return _square(evidence)


def _thw(evidence: Evidence) -> Found | None:
    """A grid that the processor itself returns; None where it returns none that explains the tokens."""
    merges = (*evidence.attributes.named("merge_size", "spatial_merge_size"), (None, 1))
    for name in evidence.observations[0].grids:
        for merge, side in merges:
            shapes = [_cells(one.grids[name], side) for one in evidence.all]
            rule = _cell_rule(evidence, [int(np.prod(shape)) for shape in shapes])
            if rule is not None:
                return Found(_thw_rule(evidence, name, merge, side), rule)
    return None


def _thw_rule(evidence: Evidence, name: str, merge: str | None, side: int) -> GridRule:
    """The rule of the grid in the output `name`, whose cells are `side` x `side` patches."""
    if complaint := _misplaced(evidence, name, side):
        return UnknownGrid(complaint)
    steps = [int(one.grids[name][:, 0].sum()) for one in evidence.all]

    def explains(size: int) -> bool:
        """Whether a step merges `size` frames, the last one what is left."""
        return all(-(-one.frames // size) == count for one, count in zip(evidence.all, steps, strict=True))

    frames_per_step = None if explains(1) else evidence.attributes.where(("temporal_patch_size",), explains)
    if frames_per_step is None and not explains(1):
        return UnknownGrid(f"{name} counts {steps[0]} steps of {evidence.observations[0].clip}")
    per_frame = all(len(one.grids[name]) == one.frames for one in evidence.all)
    return ThwGrid(name, merge, frames_per_step, per_frame)


def _cells(grids: np.ndarray, side: int) -> tuple[int, int, int]:
    """Steps, rows and columns of cells."""
    rows, columns = (int(size) // side for size in grids[0, 1:])
    return int(grids[:, 0].sum()), rows, columns


def _cell_rule(evidence: Evidence, cells: Sequence[int]) -> CellRule | None:
    """How the tokens follow from this number of cells in each observation; None: they do not."""
    tokens = [one.tokens(evidence.token_id) for one in evidence.all]
    for name in evidence.still.masks:
        masks = [one.masks.get(name) for one in evidence.all]
        if all(mask is not None and mask.size == count for mask, count in zip(masks, cells, strict=True)) and all(
            mask is not None and int(mask.sum()) == count for mask, count in zip(masks, tokens, strict=True)
        ):
            return CellRule(kept=name)
    if tokens == list(cells):
        return CellRule()
    if tokens[:-1] == list(cells)[:-1]:
        clip = evidence.still.clip
        return CellRule(extra=f"of {clip} in which nothing moves, {tokens[-1]} of {cells[-1]} tokens stay")
    return None


def _misplaced(evidence: Evidence, name: str, side: int) -> str | None:
    """A sentence where patches come from elsewhere than an even grid over the whole frame, in order, has them."""
    for width, height in _RAMPS:
        output = pixel_output(evidence.observations[0].shapes)
        measured = measure(evidence.caller, output, width, height) if output else None
        if not isinstance(measured, Patches):
            return f"{name} counts patches, but the processor returns no flat patches to compare it with"
        grids = np.asarray(measured.output[name])
        steps, rows, columns = _cells(grids, side)
        if measured.x.size != steps * rows * columns * side * side:
            return f"{measured.x.size} patches are no {steps} x {rows} x {columns} cells of {side} x {side} patches"
        time, down, across = (axis.ravel() for axis in np.indices((steps, rows, columns)))
        x, y, moments = (one.reshape(-1, side * side).mean(-1) for one in (measured.x, measured.y, measured.time))
        errors = (
            np.abs(x * columns - across - 0.5).max(),
            np.abs(y * rows - down - 0.5).max(),
            np.abs(moments * steps - time - 0.5).max() if FRAMES % steps == 0 else 0.0,
        )
        if max(errors) > _NEAR:
            return f"the patches of {width}x{height} are not the cells of an even {rows} x {columns} grid in order"
    return None


def _square(evidence: Evidence) -> Found:
    """The same square number of cells in each frame, by the number of tokens."""
    per_frame, extra = _line(evidence)
    if per_frame is None:
        return Found(UnknownGrid(_counts(evidence)))
    side = isqrt(per_frame)
    spare = per_frame - side * side
    if side < 2:
        return Found(UnknownGrid(f"one visual token stands for a whole frame; {_counts(evidence)}"))
    if spare > side:
        return Found(UnknownGrid(f"{per_frame} visual tokens a frame, which are no square; {_counts(evidence)}"))
    output = pixel_output(evidence.observations[0].shapes)
    views = [measure(evidence.caller, output, *size) if output else None for size in _RAMPS]
    fits = {one.fit(*size) if isinstance(one, Images) else None for one, size in zip(views, _RAMPS, strict=True)}
    fit, view = fits.pop(), views[0]
    if fits or fit is None or output is None or not isinstance(view, Images):
        return Found(UnknownGrid(f"{side} x {side} tokens a frame, of {_seen(views)}"), _spare(spare, extra))
    counted = evidence.attributes.counting(side * side)
    grid = SquareGrid(f"isqrt({counted})" if counted else str(side), fit, output, _uneven(evidence, view))
    return Found(grid, _spare(spare, extra))


def _line(evidence: Evidence) -> tuple[int | None, int]:
    """Tokens per frame and those of the clip besides; None where the number of tokens is no such line."""
    points = [(one.frames, one.tokens(evidence.token_id)) for one in evidence.all]
    (fewest, fewer), (most, more) = min(points), max(points)
    per_frame, rest = divmod(more - fewer, most - fewest)
    extra = fewer - per_frame * fewest
    fits = not rest and all(tokens == per_frame * frames + extra for frames, tokens in points)
    return (per_frame, extra) if fits and per_frame > 0 and extra >= 0 else (None, 0)


def _spare(per_frame: int, per_clip: int) -> CellRule:
    """The rule for tokens beyond the cells."""
    if not per_frame and not per_clip:
        return CellRule()
    parts = [
        f"{number} {where}" for number, where in ((per_frame, "in each frame"), (per_clip, "in the clip")) if number
    ]
    return CellRule(extra=f"{' and '.join(parts)} more visual tokens than cells (a newline, for example)")


def _uneven(evidence: Evidence, view: Images) -> str | None:
    """The expression of a patch's side where an image's side is no whole number of patches: the rest is not seen."""
    for expression, patch in evidence.attributes.named("patch_size"):
        if expression.startswith("self.model.config.vision_config"):
            return expression if view.width % patch else None
    return None


def _seen(views: Sequence[object]) -> str:
    """What the images show, for the author."""
    texts = []
    for view, (width, height) in zip(views, _RAMPS, strict=True):
        if not isinstance(view, Images):
            return "pixels whose place in the frames could not be measured"
        x0, x1, y0, y1 = view.left * width, view.right * width, view.top * height, view.bottom * height
        shown = f"x {x0:.0f} to {x1:.0f}, y {y0:.0f} to {y1:.0f} of {width}x{height}"
        texts.append(f"{view.count} images of {view.width}x{view.height} for {FRAMES} frames, which show {shown}")
    return "; ".join(texts)


def _counts(evidence: Evidence) -> str:
    """What the processor made of a few clips, for the author."""
    seen = evidence.observations[0], evidence.observations[-2], evidence.observations[-1]
    tokens = [f"{one.tokens(evidence.token_id)} tokens of {one.clip}" for one in seen]
    outputs = [f"{name} {shape}" for name, shape in seen[0].shapes.items()]
    return f"{', '.join(tokens)}; the processor returns {', '.join(outputs)}"
