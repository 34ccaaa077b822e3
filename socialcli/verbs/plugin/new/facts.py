"""What `plugin new` finds out about a checkpoint: written by `reading`, turned into source code by `writing`.

A field that holds an expression is Python as it stands in a method of the adapter, for example
"self.processor.image_token_id": the generated code reads the number off the checkpoint that is loaded, and does not
repeat that of the checkpoint which it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of transformers that load the checkpoint."""

    model_type: str  # as in config.json
    model: str
    processor: str
    further: tuple[tuple[str, str], ...] = ()  # (model_type, class) of the family's other models


@dataclass(frozen=True, slots=True)
class FrameInput:
    """How the processor takes the frames of a clip."""

    as_images: bool  # one image per frame; else one video
    placeholder: str | None  # expression of the text that stands for the frames; None: the base class's own
    metadata: tuple[str, ...]  # fields of VideoMetadata that change its output; empty: it needs none
    fewest: int  # frames, below which it refuses a clip; the last frame is repeated
    takes_times: bool = False  # whether a rate of 1 with the frames' times as indices gives the same as their rate


@dataclass(frozen=True, slots=True)
class ThwGrid:
    """A grid that the processor returns as (steps, rows, columns) of patches; the cells divide the whole frame."""

    output: str  # the processor's output, such as "video_grid_thw"
    merge: str | None  # expression of the patches along a side of a cell; None: one
    frames_per_step: str | None  # expression; None: one frame is one step
    per_frame: bool  # the output has a row for each frame, not one for the clip


class Fit(Enum):
    """How a frame is fitted to a square input."""

    SQUASHED = "squashed to a square"
    CROPPED = "cropped to the square in its middle"
    PADDED = "padded to a square around it"


@dataclass(frozen=True, slots=True)
class SquareGrid:
    """The same square number of cells in every frame, which divide the part of the frame that the model sees."""

    side: str  # expression of the cells along a side
    fit: Fit
    pixels: str  # the processor's output with the frames as images
    patch: str | None  # expression of a patch's pixels where the side is no whole number of patches; None: it is one


@dataclass(frozen=True, slots=True)
class UnknownGrid:
    """A grid for which no rule was found."""

    observed: str  # a sentence with what was seen


GridRule = ThwGrid | SquareGrid | UnknownGrid


@dataclass(frozen=True, slots=True)
class CellRule:
    """Which visual tokens show the cells, where it is not simply one token for each."""

    kept: str | None = None  # the processor's boolean output that marks the cells with a token
    extra: str | None = None  # a sentence about visual tokens that show no cell


@dataclass(frozen=True, slots=True)
class TokenTypes:
    """A per-token output of the processor that is `value` at visual tokens and 0 elsewhere."""

    name: str  # such as "mm_token_type_ids"
    value: int


@dataclass(frozen=True, slots=True)
class Positions:
    """How the model's own `get_rope_index` is called for the positions of a prompt."""

    axes: int
    types: TokenTypes | None  # what it takes as `mm_token_type_ids`
    inputs: tuple[str, ...]  # the processor's outputs that it takes by their names


@dataclass(frozen=True, slots=True)
class Decoder:
    """Where the text decoder and its attention are; None: where the base class expects them."""

    layers: str | None = None  # expression of the list of layers
    attention: str | None = None  # the attribute of a layer that holds its attention
    kinds: tuple[tuple[str, int], ...] = ()  # the classes of attention, each with its number of layers


@dataclass(frozen=True, slots=True)
class Todo:
    """A member of the adapter that the author has to write."""

    member: str
    what: str  # one sentence: what to write, and what was seen


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was found out about a checkpoint."""

    checkpoint: str  # as the user named it
    is_published: bool  # whether that is an id on the hub
    classes: Classes
    frame_input: FrameInput
    visual_token_id: str  # expression
    grid: GridRule
    cells: CellRule
    decoder: Decoder
    positions: Positions | None = None  # None: 0, 1, 2 ...
    token_inputs: tuple[TokenTypes, ...] = ()
    todos: tuple[Todo, ...] = ()

    @property
    def default_checkpoint(self) -> str:
        """What the plug-in loads without --checkpoint: a hub id, or the folder's absolute path."""
        return self.checkpoint if self.is_published else str(Path(self.checkpoint).resolve())
