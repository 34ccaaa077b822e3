"""Faces: a detector that was trained on photographs finds them, and mouths are where they should be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from socialcli.errors import MissingPackageError
from socialcli.perception.contract import Detect, PartOptions
from socialcli.plugins.registry import registry
from socialcli.synth.appearance import Look
from socialcli.synth.figures import draw_person
from socialcli.synth.film.faces import Mouth
from socialcli.synth.frames import pictures
from socialcli.synth.poses import Pose, head
from tests.synth.speaking import SPEAKING, performed

LOOK = Look("red", "#1c1714", "short", "#eabf95", "#2f3542")


@pytest.fixture(scope="module")
def faces() -> Detect:
    provided = registry().detectors().get("faces")
    if provided is None:
        pytest.skip("the face detector is not installed")
    try:
        return provided.item.load(PartOptions())
    except MissingPackageError as error:
        pytest.skip(str(error))


def test_nearly_all_heads_are_found_and_hardly_anything_else(faces: Detect) -> None:
    heads = found = false = 0
    for index in range(6):
        plot, performance = performed(replace(SPEAKING, people=(2, 5), size=(672, 672), fps=10, shots=1), index)
        picture = next(pictures(replace(plot.world, frames=1, starts=(0,)), performance.film))
        detections = faces(np.asarray(picture.image))
        places = [head(pose.foot, pose.height) for pose in plot.world.poses(0)]
        hits = [
            [x0 < x < x1 and y0 < y < y1 for x0, y0, x1, y1 in places]
            for x, y in (detection.box.centre for detection in detections)
        ]
        heads += len(places)
        found += sum(map(any, zip(*hits, strict=True))) if hits else 0
        false += sum(not any(row) for row in hits)
    assert heads > 15 and found >= 0.95 * heads and false <= 1


def drawn(mouth: Mouth | None) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    image = Image.new("RGB", (400, 400), "#c8d3c5")
    draw_person(ImageDraw.Draw(image), LOOK, Pose((100, 195), 180, (190, 100)), 2, mouth)
    return np.asarray(image, dtype=np.int16)


@pytest.mark.parametrize("mouth", [Mouth(opening=1.0), Mouth(opening=0.4), Mouth(smile=1.0)])
def test_a_mouth_changes_pixels_around_the_lips_alone(mouth: Mouth) -> None:
    changed = (drawn(mouth) != drawn(Mouth())).any(axis=2)
    ys, xs = np.nonzero(changed)
    x0, y0, x1, y1 = (2 * edge for edge in head((100, 195), 180))
    assert len(xs) > 50
    assert x0 < xs.min() and xs.max() < x1 and (y0 + y1) / 2 < ys.min() and ys.max() < y1


def test_the_body_is_that_of_a_silent_world() -> None:
    changed = (drawn(Mouth()) != drawn(None)).any(axis=2)
    ys, xs = np.nonzero(changed)
    x0, y0, x1, y1 = (2 * edge for edge in head((100, 195), 180))
    assert x0 - 0.05 * 360 < xs.min() and xs.max() < x1 + 0.05 * 360 and y0 - 8 < ys.min() and ys.max() < y1 + 3
