"""(torch) The network of Light-ASD.

Liao et al., "A Light Weight Model for Active Speaker Detection", CVPR 2023. A face's crops, and 13 mel-frequency
cepstral coefficients four times in a crop, become 128 features for each crop: by convolutions that are split into space
and time, or frequency and time, on two scales each. Their sum passes a GRU forwards and one backwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

FEATURES = 128
STEPS_PER_CROP = 4  # of the coefficients
CONTEXT = 6  # crops on each side that the features of a crop depend on: two for each of three blocks
_GREY_MEAN, _GREY_DEVIATION = 0.4161, 0.1688  # of the training crops
_EPSILON = 1e-3  # of the batch normalizations


class SplitBlock(nn.Module):
    """Two branches, of width 3 and 5, of a convolution within a moment and one along time; summed, then mixed."""

    def __init__(self, inputs: int, outputs: int, *, pictures: bool, stride: int = 1) -> None:
        """Make the layers for pictures (time, height, width) or coefficients (frequency, time)."""
        super().__init__()
        conv: Any = nn.Conv3d if pictures else nn.Conv2d
        norm: Any = nn.BatchNorm3d if pictures else nn.BatchNorm2d
        self.within = "s" if pictures else "m"  # the published names: s_3, m_3, t_3 ...
        for width in (3, 5):
            moment, time = ((1, width, width), (width, 1, 1)) if pictures else ((width, 1), (1, width))
            step = (1, stride, stride) if pictures else (1, 1)
            first = conv(inputs, outputs, moment, stride=step, padding=_same(moment), bias=False)
            second = conv(outputs, outputs, time, padding=_same(time), bias=False)
            for name, layer in ((f"{self.within}_{width}", first), (f"t_{width}", second)):
                self.add_module(name, layer)
                self.add_module(f"bn_{name}", norm(outputs, eps=_EPSILON))
        self.last = conv(outputs, outputs, 1, bias=False)
        self.bn_last = norm(outputs, eps=_EPSILON)

    def forward(self, inputs: Tensor) -> Tensor:
        """Keep the time; with a stride, halve height and width."""
        branches = [self._layer(f"t_{width}", self._layer(f"{self.within}_{width}", inputs)) for width in (3, 5)]
        return self._layer("last", branches[0] + branches[1])

    def _layer(self, name: str, inputs: Tensor) -> Tensor:
        outputs = self.get_submodule(f"bn_{name}")(self.get_submodule(name)(inputs))
        return functional.relu(outputs)


class VisualEncoder(nn.Module):
    """Grey crops to features."""

    def __init__(self) -> None:
        """Make three blocks, of 32, 64 and 128 channels."""
        super().__init__()
        self.block1 = SplitBlock(1, 32, pictures=True, stride=2)
        self.block2 = SplitBlock(32, 64, pictures=True)
        self.block3 = SplitBlock(64, FEATURES, pictures=True)

    def forward(self, crops: Tensor) -> Tensor:
        """(batch, crops, height, width), 0 to 255, to (batch, crops, 128)."""
        values = ((crops / 255 - _GREY_MEAN) / _GREY_DEVIATION)[:, None]
        for block in (self.block1, self.block2):
            values = functional.max_pool3d(block(values), (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1))
        features: Tensor = self.block3(values).amax(dim=(-2, -1)).transpose(1, 2)
        return features


class AudioEncoder(nn.Module):
    """Coefficients to features."""

    def __init__(self) -> None:
        """Make three blocks, of 32, 64 and 128 channels."""
        super().__init__()
        self.block1 = SplitBlock(1, 32, pictures=False)
        self.block2 = SplitBlock(32, 64, pictures=False)
        self.block3 = SplitBlock(64, FEATURES, pictures=False)

    def forward(self, coefficients: Tensor) -> Tensor:
        """(batch, 4 x crops, 13) to (batch, crops, 128)."""
        values = coefficients.transpose(1, 2)[:, None]
        for block in (self.block1, self.block2):
            values = functional.max_pool2d(block(values), (1, 3), stride=(1, 2), padding=(0, 1))
        features: Tensor = self.block3(values).mean(dim=2).transpose(1, 2)
        return features


class BothWays(nn.Module):
    """A GRU forwards, then one backwards on what the first one says."""

    def __init__(self) -> None:
        """Make the two GRUs."""
        super().__init__()
        self.gru_forward = nn.GRU(FEATURES, FEATURES, batch_first=True)
        self.gru_backward = nn.GRU(FEATURES, FEATURES, batch_first=True)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, crops, 128) to the same shape."""
        ahead = functional.gelu(self.gru_forward(features)[0])
        back = self.gru_backward(ahead.flip(1))[0].flip(1)
        return functional.gelu(back)


class LightASD(nn.Module):
    """Whether the face of some crops speaks."""

    def __init__(self) -> None:
        """Make the encoders, the GRUs and the head; the names are those of the published weights."""
        super().__init__()
        self.visualEncoder = VisualEncoder()
        self.audioEncoder = AudioEncoder()
        self.GRU = BothWays()
        self.head = nn.Linear(FEATURES, 2)

    def forward(self, crops: Tensor, coefficients: Tensor) -> Tensor:
        """The log odds that the face speaks, shape (batch, crops).

        `crops`: (batch, crops, 112, 112), 0 to 255; `coefficients`: (batch, 4 x crops, 13).
        """
        return self.odds(self.visualEncoder(crops), self.audioEncoder(coefficients))

    def odds(self, seen: Tensor, heard: Tensor) -> Tensor:
        """The log odds from the features of both encoders, (batch, crops, 128) each."""
        silent, speaks = self.head(self.GRU(seen + heard)).unbind(-1)
        odds: Tensor = speaks - silent
        return odds


def _same(kernel: Sequence[int]) -> tuple[int, ...]:
    return tuple(width // 2 for width in kernel)


def renamed(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """The published weights under this module's names.

    `model.` is dropped and `lossAV.FC` becomes `head`; `lossV`, the head for pictures alone, served training only. A
    `module.` of a training on several GPUs is dropped, too.
    """
    weights = {}
    for name, value in published.items():
        name = name.removeprefix("module.").removeprefix("model.")
        if not name.startswith("lossV."):
            weights[name.replace("lossAV.FC.", "head.")] = value
    return weights
