"""(torch) What a processor makes of noise frames of several sizes and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from socialcli.errors import CheckpointError
from socialcli.verbs.plugin.new.reading.attributes import Attributes
from socialcli.verbs.plugin.new.reading.calls import Caller, Pixels, noise

SIZES = ((320, 240), (240, 320), (640, 360), (200, 160))  # pixels, width and height
COUNTS = (2, 3, 4, 5)  # frames
_TEXT = frozenset({"input_ids", "attention_mask"})


@dataclass(frozen=True, slots=True)
class Observation:
    """The output for one clip."""

    frames: int
    width: int
    height: int
    ids: npt.NDArray[np.int64]  # (length,)
    per_token: Mapping[str, npt.NDArray[np.int64]]  # outputs with an entry per token: (length, ...)
    grids: Mapping[str, npt.NDArray[np.int64]]  # outputs of (grids, 3): steps, rows and columns of patches
    masks: Mapping[str, npt.NDArray[np.bool_]]  # other boolean outputs of one axis
    shapes: Mapping[str, tuple[int, ...]]  # of every output

    def visual(self, token_id: int) -> npt.NDArray[np.intp]:
        """The indices of the visual tokens."""
        return np.flatnonzero(self.ids == token_id)

    def tokens(self, token_id: int) -> int:
        """The number of visual tokens."""
        return int((self.ids == token_id).sum())

    @property
    def clip(self) -> str:
        """The clip, for messages."""
        return f"{self.frames} frames of {self.width}x{self.height}"


def observe_still(caller: Caller) -> Observation:
    """Observe a clip in which nothing moves, for which some processors drop tokens."""
    width, height = SIZES[0]
    return observed(caller, np.repeat(noise(1, width, height), COUNTS[-1], axis=0))


def observe(caller: Caller) -> tuple[Observation, ...]:
    """Observe one size with every number of frames, then every other size with one number of frames."""
    usual = SIZES[0]
    clips = [(count, usual) for count in COUNTS if count >= caller.fewest] + [(COUNTS[0], size) for size in SIZES[1:]]
    return tuple(observed(caller, noise(count, *size)) for count, size in clips)


def observed(caller: Caller, frames: Pixels) -> Observation:
    """The processor's output for these frames. Raises CheckpointError where it refuses them."""
    try:
        called = caller.call(frames)
    except Exception as error:  # a processor's own checks raise any class
        size = f"{frames.shape[2]}x{frames.shape[1]}"
        raise CheckpointError(f"its processor refuses {len(frames)} frames of {size} pixels: {error}") from error
    output = {name: np.asarray(value) for name, value in called.items() if name != "video_metadata"}
    ids = output["input_ids"][0]
    others = {name: value for name, value in output.items() if name not in _TEXT}
    return Observation(
        frames=len(frames),
        width=frames.shape[2],
        height=frames.shape[1],
        ids=ids,
        per_token={name: value[0] for name, value in others.items() if value.shape[:2] == (1, ids.size)},
        grids={name: value for name, value in others.items() if _is_grid(value)},
        masks={name: value for name, value in others.items() if value.dtype == np.bool_ and value.ndim == 1},
        shapes={name: value.shape for name, value in others.items()},
    )


def visual_token(observations: Sequence[Observation], attributes: Attributes, tokenizer: Any) -> tuple[int, str]:
    """The id of the visual tokens, and its expression.

    Of all attributes that name a token of images or videos, the one that most tokens of the prompts are; where none of
    them occurs, the most frequent token.
    """
    ids = np.concatenate([one.ids for one in observations])
    stems = (f"{kind}_token_{end}" for kind in ("video", "image") for end in ("id", "index"))
    named = dict(attributes.named(*stems))
    counts = {expression: int((ids == value).sum()) for expression, value in named.items()}
    best = max(counts, key=counts.__getitem__, default=None)  # the first of equals
    if best is not None and counts[best]:
        return named[best], best
    most = int(np.bincount(ids).argmax())
    text = json.dumps(tokenizer.convert_ids_to_tokens(most), ensure_ascii=False)
    return most, f"self.processor.tokenizer.convert_tokens_to_ids({text})"


def _is_grid(value: npt.NDArray[Any]) -> bool:
    return value.ndim == 2 and value.shape[1] == 3 and np.issubdtype(value.dtype, np.integer)
