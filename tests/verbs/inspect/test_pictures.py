from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from socialcli.episodes.records import Box, Episode
from socialcli.verbs.inspect.pictures.album import Album
from socialcli.verbs.inspect.pictures.drawing import colors_of, draw_frame
from socialcli.verbs.inspect.pictures.pages import frame_page, legend_lines, sheet
from socialcli.verbs.inspect.work import Inspected
from tests.conftest import sample_episodes

from .samples import inspected

FRAME = 3
SCALE = 2  # of a frame of 640 x 360
CASES = [("llava-next-video", fit) for fit in ("pad", "crop", "stretch")] + [("qwen2.5-vl", None), ("internvl3", None)]

Pixel = tuple[int, int]


def drawn(found: Inspected, index: int = FRAME) -> np.ndarray[Any, Any]:
    assert found.frames is not None
    return np.array(draw_frame(found.inspection, found.frames, index)).astype(int)


def expected_tint(found: Inspected, speaker: str, place: Pixel, strength: float) -> np.ndarray[Any, Any]:
    """The original pixel at (x, y) of the frame, with so much of the speaker's colour."""
    assert found.frames is not None
    original = found.frames.frames[FRAME].image[place[1], place[0]].astype(float)
    return original * (1 - strength) + np.array(colors_of(found.inspection)[speaker].rgb) * strength


def cells_by_speakers(found: Inspected, frames: tuple[int, ...]) -> dict[tuple[int, int], set[str]]:
    """Whose boxes in these frames cover each cell (row, column)."""
    grid = found.inspection.grid
    assert grid is not None
    place = {int(token): (row, column) for (_, row, column), token in np.ndenumerate(grid.tokens)}
    cells: dict[tuple[int, int], set[str]] = {cell: set() for cell in place.values()}
    for box in found.inspection.boxes:
        if box.frame in frames:
            for token in box.tokens:
                cells[place[token]].add(box.speaker)
    return cells


def inner_pixels(found: Inspected, cell: tuple[int, int]) -> Iterator[Pixel]:
    """Pixels of the frame well inside a cell, and away from every box's edge and name."""
    grid, boxes = found.inspection.grid, [box.box for box in found.inspection.boxes if box.frame == FRAME]
    assert grid is not None
    x0, y0, x1, y1 = grid.cells[cell]
    for y in range(int(max(y0, 0)) + 3, int(min(y1, 360)) - 3, 3):
        for x in range(int(max(x0, 0)) + 3, int(min(x1, 640)) - 3, 3):
            if not any(_near_edge(x, y, box) for box in boxes):
                yield x, y


def _near_edge(x: int, y: int, box: tuple[float, float, float, float]) -> bool:
    around = box[0] - 5 < x < box[2] + 60 and box[1] - 40 < y < box[3] + 40
    inside = box[0] + 5 < x < box[2] - 5 and box[1] + 5 < y < box[3] - 5
    return around and not inside


def on_canvas(found: Inspected, place: Pixel) -> Pixel:
    """Where the first of the pixels that the frame's pixel became is on the drawn picture."""
    grid = found.inspection.grid
    assert grid is not None
    top = -min(0, round(grid.seen[1]))
    left = -min(0, round(grid.seen[0]))
    return (place[0] + left) * SCALE, (place[1] + top) * SCALE


@pytest.mark.parametrize(("family", "fit"), CASES)
def test_the_cells_that_a_box_covers_and_no_others_have_the_speakers_tint(family: str, fit: str | None) -> None:
    found = inspected(family, sample_episodes()[0], frame_fit=fit)
    picture = drawn(found)
    grid = found.inspection.grid
    assert grid is not None
    step = grid.frames[grid.step_of_frame[FRAME]]
    now, merged = cells_by_speakers(found, (FRAME,)), cells_by_speakers(found, step)
    looked_at = {0: 0, 1: 0}
    for cell, speakers in now.items():
        if len(speakers) > 1 or merged[cell] != speakers:
            continue
        for x, y in inner_pixels(found, cell):
            column, row = on_canvas(found, (x, y))
            strength, speaker = (0.5, *speakers) if speakers else (0.0, "speaker1")
            assert picture[row, column] == pytest.approx(expected_tint(found, speaker, (x, y), strength), abs=1)
            looked_at[len(speakers)] += 1
    assert min(looked_at.values()) > 100


def test_cells_of_a_merged_frame_alone_are_tinted_lightly() -> None:
    found = inspected("qwen2.5-vl", sample_episodes()[0])
    picture, looked_at = drawn(found), 0
    now, merged = cells_by_speakers(found, (FRAME,)), cells_by_speakers(found, (2, 3))
    for cell in (cell for cell, speakers in merged.items() if len(speakers) == 1 and not now[cell]):
        for x, y in inner_pixels(found, cell):
            column, row = on_canvas(found, (x, y))
            assert picture[row, column] == pytest.approx(expected_tint(found, *merged[cell], (x, y), 0.2), abs=1)
            looked_at += 1
    assert looked_at > 10


def test_a_cell_of_two_speakers_shows_both_colours(episode: Episode) -> None:
    boxes = tuple(Box(name, 0.0, 160.0, 90.0, 480.0, 270.0) for name in ("speaker1", "speaker2"))
    found = inspected("internvl3", replace(episode, boxes=boxes), box_gap=100.0)
    picture = drawn(found)
    tints = {name: [0, 0] for name in ("speaker1", "speaker2")}
    for x, y in inner_pixels(found, (8, 8)):
        column, row = on_canvas(found, (x, y))
        for name, count in tints.items():
            expected = expected_tint(found, name, (x, y), 0.5)
            count[0] += bool(np.abs(picture[row, column] - expected).max() <= 1)
            count[1] += 1
    assert all(0.3 < matched / of < 0.7 for matched, of in tints.values())


def test_what_the_model_does_not_see_is_dark_and_padding_is_grey(episode: Episode) -> None:
    crop = inspected("llava-next-video", replace(episode, boxes=()), frame_fit="crop")
    assert crop.frames is not None
    original = crop.frames.frames[FRAME].image.astype(int)
    picture = drawn(crop)
    assert picture.shape == (720, 1280, 3)
    assert np.abs(picture[2:718:2, 4:270:2] - original[1:359, 2:135] * 0.3).max() <= 1
    pad = drawn(inspected("llava-next-video", replace(episode, boxes=()), frame_fit="pad"))
    assert pad.shape == (1280, 1280, 3)
    assert pad[20, 20].tolist() == pad[1260, 1260].tolist() == [150, 150, 150]


def test_a_box_that_covers_no_token_stands_in_the_legend(episode: Episode) -> None:
    far = tuple(replace(box, x0=4.0, x1=60.0) for box in episode.boxes if box.speaker == "speaker1")
    found = inspected("llava-next-video", replace(episode, boxes=far), frame_fit="crop").inspection
    assert [line.text for line in legend_lines(found, 0)] == [
        "Speaker 1: box covers NO token, the model sees 0% of the box",
        "Speaker 2: no box in this frame",
        "Speaker 3: no box in this frame",
    ]
    assert [line.swatch for line in legend_lines(found, 0)] == [color.rgb for color in colors_of(found).values()]


def test_speakers_have_the_colours_of_the_overlay() -> None:
    """Those with boxes first: the overlay does not count the others."""
    episode = sample_episodes()[0]
    boxes = tuple(box for box in episode.boxes if box.speaker != "speaker1")
    found = inspected("internvl3", replace(episode, boxes=boxes), boxes_as="overlay").inspection
    colors = {speaker: color.name for speaker, color in colors_of(found).items()}
    assert colors == {"speaker2": "orange", "speaker3": "light blue", "speaker1": "green"}
    assert "Speaker 2 is in the orange box, Speaker 3 is in the light blue box" in found.prompt


@pytest.mark.parametrize("count", [1, 3, 40])
def test_pages_hold_the_picture_and_the_sheet_all_frames(count: int, episode: Episode) -> None:
    found = inspected("internvl3", episode, frames=count)
    assert found.frames is not None
    page = frame_page(found.inspection, found.frames, 0)
    assert page.width == 1280
    assert page.height > 720 + 100
    whole = sheet(found.inspection, found.frames)
    assert whole.height > -(-count // 4) * 270
    assert whole.width >= min(count, 4) * 480


def test_an_album_has_a_folder_a_question_whatever_its_id(tmp_path: Path, episode: Episode) -> None:
    found = inspected("internvl3", episode, frames=2)
    assert found.frames is not None
    album = Album(tmp_path / "new" / "pictures")
    for name in ("a/b", "a b", "../..", "A-B", "x" * 300):
        inspection = replace(found.inspection, question=replace(found.inspection.question, id=name))
        (path,) = album.add(inspection, found.frames)
        assert path.name == "sheet.png"
    folder = tmp_path / "new" / "pictures"
    assert sorted(path.name for path in folder.iterdir()) == ["A-B-3", "a-b", "a-b-2", "question", "x" * 100]
    assert sorted(path.name for path in (folder / "a-b").iterdir()) == ["frame-00.png", "frame-01.png", "sheet.png"]
    with Image.open(path.with_name("frame-01.png")) as image:
        assert np.array_equal(np.array(image), np.array(frame_page(inspection, found.frames, 1)))


def test_pictures_are_named_after_ids_of_every_script(tmp_path: Path, episode: Episode) -> None:
    found = inspected("internvl3", episode, frames=2)
    assert found.frames is not None
    album = Album(tmp_path)
    for name in ("राम/1", "Zoe\u0301", "Zo\u00e9", "问" * 150, "?"):
        inspection = replace(found.inspection, question=replace(found.inspection.question, id=name))
        album.add(inspection, found.frames)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(["राम-1", "Zo\u00e9", "Zo\u00e9-2", "问" * 66, "question"])  # 66 take 198 bytes
