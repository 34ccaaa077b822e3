from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from socialcli.episodes.records import Box, Episode
from socialcli.verbs.inspect.heads import ShownHeads
from socialcli.verbs.inspect.maps import AttentionMaps
from socialcli.verbs.inspect.pictures.album import Album
from socialcli.verbs.inspect.pictures.drawing import View, colors_of
from socialcli.verbs.inspect.pictures.heat import HEAT, MIDDLE, HeatScale, color_bar
from socialcli.verbs.inspect.pictures.overlays import attention_page, heat_picture
from socialcli.verbs.inspect.work import Inspected
from tests.conftest import sample_episodes

from .samples import inspected

CASES = [("llava-next-video", fit) for fit in ("pad", "crop")] + [("qwen2.5-vl", None), ("internvl3", None)]


def random_maps(found: Inspected, place: int = 0) -> AttentionMaps:
    """Maps of an utterance, every cell another; aligned, its own cells tenfold."""
    inspection = found.inspection
    assert inspection.grid is not None
    tokens = inspection.grid.tokens
    plain = np.random.default_rng(0).permutation(np.geomspace(1e-5, 1e-3, tokens.size)).reshape(tokens.shape)
    aligned = np.where(np.isin(tokens, inspection.pairs[place]), 10 * plain, plain)
    shown = ShownHeads(frozenset({(1, 0)}), "1 active head of layer 1")
    return AttentionMaps(inspection.utterances[place], shown, "layer 1, published bias", plain, aligned)


def framed(found: Inspected, color: tuple[int, int, int]) -> int:
    """How many rows of the page begin with a frame of this colour."""
    assert found.frames is not None
    page = np.array(attention_page(found.inspection, found.frames, random_maps(found)))
    lines = (page[:, 10] == color).all(axis=-1)
    return int((lines[1:] & ~lines[:-1]).sum())


@pytest.mark.parametrize(("family", "fit"), CASES)
def test_each_cell_has_the_colour_of_its_attention(family: str, fit: str | None) -> None:
    found = inspected(family, sample_episodes()[0], frame_fit=fit, frames=2)
    grid, frames = found.inspection.grid, found.frames
    assert grid is not None and frames is not None
    view, attention = View.of(frames, grid), random_maps(found).plain[0]
    scale = HeatScale.of(attention)
    picture = Image.new("RGB", (view.width, view.height), (10, 200, 90))  # even: no outlines
    drawn = np.array(heat_picture(picture, view, grid, scale.colors(attention))).astype(int)
    covered = np.zeros(drawn.shape[:2], dtype=np.bool_)
    for row, column in np.ndindex(*attention.shape):
        x0, y0, x1, y1 = (grid.cells[row, column] - [view.left, view.top] * 2).round().astype(int)
        expected = HEAT * scale.colors(attention[row, column]) + (1 - HEAT) * MIDDLE
        assert np.abs(drawn[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1] - expected).max() <= 1
        covered[max(0, y0 - 1) : y1 + 1, max(0, x0 - 1) : x1 + 1] = True
    assert (drawn[~covered] == MIDDLE).all()


def test_light_and_dark_areas_of_a_frame_look_the_same() -> None:
    found = inspected("internvl3", sample_episodes()[0], frames=1)
    grid, frames = found.inspection.grid, found.frames
    assert grid is not None and frames is not None
    picture = np.zeros((360, 640, 3), dtype=np.uint8)
    picture[:, 320:] = 255
    view, even = View.of(frames, grid), np.full((*grid.cells.shape[:2], 3), 100)
    drawn = np.array(heat_picture(Image.fromarray(picture), view, grid, even))
    assert (drawn[:, 100] == drawn[:, 540]).all()
    assert (drawn[:, 319] != drawn[:, 100]).any()  # their border is an outline


def test_one_scale_holds_all_that_is_compared() -> None:
    scale = HeatScale.of(np.array([2e-4, 5e-4]), np.array([1e-3, 0.0]))
    assert (scale.low, scale.high) == (2e-4, 1e-3)
    assert scale.places([2e-4, 1e-3, 0.0, 1.0]).tolist() == [0.0, 1.0, 0.0, 1.0]
    assert scale.places(np.sqrt(2e-7)) == pytest.approx(0.5)
    assert list(scale.ticks()) == pytest.approx([2e-4, 5e-4, 1e-3])
    light = scale.colors([2e-4, 5e-4, 1e-3]).astype(float) @ (0.2126, 0.7152, 0.0722)
    assert light[0] < light[1] < light[2]  # also without colours


@pytest.mark.parametrize(
    ("values", "low", "high"), [((1e-9, 0.1), 1e-5, 0.1), ((0.3, 0.3), 0.03, 0.3), ((0.0, 0.0), 1e-5, 1e-4)]
)
def test_a_scale_is_neither_endless_nor_empty(values: tuple[float, float], low: float, high: float) -> None:
    scale = HeatScale.of(np.array(values))
    assert (scale.low, scale.high) == pytest.approx((low, high))
    assert color_bar(scale, 600).width == 600


@pytest.mark.parametrize("family", ["qwen2.5-vl", "internvl3"])
def test_frames_of_the_utterance_are_framed_in_its_speakers_colour(family: str, episode: Episode) -> None:
    found = inspected(family, episode, frames=6)
    first = found.inspection.utterances[0]
    assert first.speaker is not None
    assert 0 < framed(found, colors_of(found.inspection)[first.speaker].rgb) == len(first.frames) < 6


def test_a_page_has_a_row_a_frame_of_three_pictures(episode: Episode) -> None:
    """Also where a speaker has no box, one that the model does not see, or one of no area."""
    boxes = (Box("speaker1", 0.0, 320.0, 180.0, 320.0, 180.0), Box("speaker2", 0.0, 0.0, 0.0, 20.0, 360.0))
    found = inspected("llava-next-video", replace(episode, boxes=boxes), frame_fit="crop", frames=3, box_gap=100.0)
    assert found.frames is not None
    page = attention_page(found.inspection, found.frames, random_maps(found))
    assert page.width > 3 * 640
    assert page.height > 3 * 360


def test_an_album_holds_a_page_an_utterance(tmp_path: Path, episode: Episode) -> None:
    found = inspected("internvl3", episode, frames=1)
    assert found.frames is not None
    maps = random_maps(found)
    twice = [replace(maps, line=maps.line), *(renamed(maps, name) for name in ("a/b", "a b", "..."))]
    found_in_pairs = replace(found.inspection, utterances=tuple(one.line for one in twice), pairs=((),) * len(twice))
    paths = Album(tmp_path).add(found_in_pairs, found.frames, twice)
    names = ["sheet", f"attention-{maps.line.id}", "attention-a-b", "attention-a-b-2", "attention-utterance"]
    assert [path.stem for path in paths] == names
    with Image.open(paths[1]) as image:
        expected = attention_page(found_in_pairs, found.frames, twice[0])
        assert np.array_equal(np.array(image), np.array(expected))


def renamed(maps: AttentionMaps, name: str) -> Any:
    return replace(maps, line=replace(maps.line, id=name))
