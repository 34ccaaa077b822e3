"""The positions of a prompt's tokens as the Qwen-VL models were trained with them: in time, height and width.

The rule is that of the models' authors (their `get_rope_index`, also in transformers 4): text is numbered alike on the
three axes, and what follows a block of visual tokens begins behind the block's largest position on any axis, time
included. transformers 5 ignores time here, so that text overlaps the times of every block that is longer than its
cells are wide and high.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Visual tokens without text between them.

    `tokens` (steps, rows, columns) are their indices in the prompt, contiguous; `moments` (steps,) is the position of
    each step in time, counted from the block's start.
    """

    tokens: npt.NDArray[np.int64]
    moments: npt.NDArray[np.int64]


def number_tokens(length: int, blocks: Iterable[Block]) -> npt.NDArray[np.int64]:
    """The positions of a prompt of `length` tokens with `blocks` in it, in order: (3, length), time, height, width."""
    positions = np.empty((3, length), dtype=np.int64)
    index = position = 0  # of the next token
    for block in blocks:
        start, end = int(block.tokens[0, 0, 0]), int(block.tokens[-1, -1, -1]) + 1
        positions[:, index:start] = np.arange(position, position + start - index)
        positions[:, start:end] = position + start - index + _in_block(block)
        index, position = end, int(positions[:, start:end].max()) + 1
    positions[:, index:] = np.arange(position, position + length - index)
    return positions


def _in_block(block: Block) -> npt.NDArray[np.int64]:
    """Positions counted from the block's start, (3, tokens): the step's time, the row, the column."""
    _, rows, columns = block.tokens.shape
    axes = np.meshgrid(block.moments, np.arange(rows), np.arange(columns), indexing="ij")
    return np.stack(axes).reshape(3, -1)
