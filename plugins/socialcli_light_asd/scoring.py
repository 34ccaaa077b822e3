"""(torch) Light-ASD as an active speaker detector: weights, crops and coefficients as it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image as Pictures

from socialcli.errors import CheckpointError
from socialcli.perception.contract import SAMPLE_RATE, Image, PartOptions, Sound, SpeechScores
from socialcli.perception.spectra import mfcc

from . import RATE
from .network import CONTEXT, STEPS_PER_CROP, LightASD, renamed

_SIDE = 112  # pixels of the network's crops
# The part of a crop that the published preparation keeps, (left, top, right, bottom) as shares: the middle half of a
# square that reaches further below the face than above it. In half sides of the face's box, from its centre: 0.7 to the
# left and right, 0.3 up, 1.1 down.
_PART = (0.25, 1.1 / 2.8, 0.75, 2.5 / 2.8)
_AT_ONCE = 50  # crops in the visual encoder, which needs 2 MB for each
_SPAN = 50  # crops in the GRUs at a time: in longer spans a face that speaks seems to speak in silence, too
_LEAST = 5  # crops: fewer say nothing
_ADVICE = "give the file finetuning_TalkSet.model or pretrain_AVA_CVPR.model of github.com/Junhua-Liao/Light-ASD"


class LightAsdScores:
    """The detector `light-asd`, loaded; it is called as `SpeechScores`."""

    def __init__(self, network: LightASD, device: str) -> None:
        """Score with a network in evaluation mode on `device`."""
        self.network = network
        self.device = device

    def __call__(self, crops: Sequence[Image], rate: float, sound: Sound) -> npt.NDArray[np.float32]:
        """The log odds of each crop that the face speaks, float32; 0 where there are fewer than 5 crops.

        Raises ValueError where there are not 25 crops a second.
        """
        if abs(rate - RATE) > 0.01:
            raise ValueError(f"light-asd takes {RATE:g} crops a second, not {rate:g}")
        if len(crops) < _LEAST:
            return np.zeros(len(crops), np.float32)
        coefficients = torch.from_numpy(_coefficients(sound, len(crops))).to(self.device)
        with torch.inference_mode():
            seen = torch.cat([self._features(crops, begin) for begin in range(0, len(crops), _AT_ONCE)])
            heard = self.network.audioEncoder(coefficients[None])[0]
            odds = torch.cat([self.network.odds(seen[None, span], heard[None, span])[0] for span in _spans(len(crops))])
        return np.asarray(odds.cpu().numpy(), dtype=np.float32)

    def _features(self, crops: Sequence[Image], begin: int) -> torch.Tensor:
        """What the visual encoder sees in `_AT_ONCE` crops, with the neighbours that it looks at."""
        first, last = max(begin - CONTEXT, 0), min(begin + _AT_ONCE + CONTEXT, len(crops))
        faces = torch.from_numpy(np.stack([_face(crop) for crop in crops[first:last]]))
        features: torch.Tensor = self.network.visualEncoder(faces[None].to(self.device).float())[0]
        return features[begin - first :][:_AT_ONCE]


def _spans(count: int) -> list[slice]:
    """Spans of nearly the same length, at most `_SPAN` crops: no short rest is judged by itself."""
    borders = np.linspace(0, count, -(-count // _SPAN) + 1).round().astype(int).tolist()
    return [slice(begin, end) for begin, end in pairwise(borders)]


def load_scores(options: PartOptions) -> SpeechScores:
    """Load the detector with the weights of `options`; raises CheckpointError where there are none or others."""
    if options.weights is None:
        raise CheckpointError(
            f"the active speaker detector light-asd needs its weights (--active-speaker-weights); {_ADVICE}"
        )
    network = LightASD()
    weights = _read(Path(options.weights))
    try:
        network.load_state_dict(renamed(weights), strict=True)
    except (RuntimeError, AttributeError) as error:
        raise CheckpointError(
            f"{options.weights}: not the weights of Light-ASD ({_first_line(error)}); {_ADVICE}"
        ) from error
    return LightAsdScores(network.eval().to(options.device), options.device)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file of weights; {_ADVICE}") from None
    except Exception as error:  # a damaged archive raises nearly anything
        # PyTorch's own message advises to load the file unsafely.
        raise CheckpointError(f"{path}: cannot be read as weights: damaged, or another file; {_ADVICE}") from error
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise CheckpointError(f"{path}: holds no named tensors; {_ADVICE}")
    return content


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _face(crop: Image) -> npt.NDArray[np.uint8]:
    """The lower middle of a crop, grey, shape (112, 112)."""
    side = crop.shape[0]
    left, top, right, bottom = (share * side for share in _PART)
    grey = Pictures.fromarray(crop).convert("L")
    return np.asarray(grey.resize((_SIDE, _SIDE), Pictures.Resampling.BILINEAR, box=(left, top, right, bottom)))


def _coefficients(sound: Sound, crops: int) -> npt.NDArray[np.float32]:
    """Four rows of coefficients for each crop; silence where the sound is shorter."""
    samples = round(crops / RATE * SAMPLE_RATE) + SAMPLE_RATE // 40  # the last window is 25 ms long
    whole = np.pad(sound[:samples], (0, max(0, samples - len(sound))))
    return mfcc(whole)[: crops * STEPS_PER_CROP]
