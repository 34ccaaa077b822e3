"""How a frame is laid on tiles, without torch: the arithmetic of transformers' Mllama image processor."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from socialcli.models.contract import ClipSize

TILE, TILES, PATCH = 560, 4, 14  # of the default checkpoint: pixels, most tiles of a frame, pixels


def visual_tokens(clip: ClipSize) -> int:
    """The number of patches that show a part of a clip's frames, with the default checkpoint."""
    shape = tile_shape(clip.width, clip.height)
    rows, columns = (-(-size // PATCH) for size in fitted_size(clip.width, clip.height, shape))
    return clip.frames * rows * columns


def tile_shapes(most: int = TILES) -> Sequence[tuple[int, int]]:
    """The canvases of up to `most` tiles, (rows, columns) of tiles each, in the order of their numbers, from 1 on."""
    sides = range(1, most + 1)
    return [(down, across) for down in sides for across in sides if down * across <= most]


def tile_shape(width: int, height: int, tile: int = TILE, most: int = TILES) -> tuple[int, int]:
    """The canvas of a frame, (rows, columns) of tiles: what enlarges it least, or else shrinks it least.

    Of several, the one with the fewest tiles.
    """
    scales = {(down, across): min(down * tile / height, across * tile / width) for down, across in tile_shapes(most)}
    enlarging = [scale for scale in scales.values() if scale >= 1]
    best = min(enlarging) if enlarging else max(scales.values())
    return min((shape for shape, scale in scales.items() if scale == best), key=lambda shape: shape[0] * shape[1])


def fitted_size(width: int, height: int, shape: tuple[int, int], tile: int = TILE) -> tuple[int, int]:
    """The (height, width) in pixels of a frame at the top left of a canvas with that `shape` in tiles.

    A frame is enlarged until one of its sides is that of a tile, and shrunk to fit; its aspect ratio stays.
    """
    most_height, most_width = shape[0] * tile, shape[1] * tile
    new_height, new_width = min(max(height, tile), most_height), min(max(width, tile), most_width)
    down, across = new_height / height, new_width / width
    if across < down:
        return min(floor(height * across) or 1, new_height), new_width
    return new_height, min(floor(width * down) or 1, new_width)
