"""Any layout of loudspeakers to one channel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

_CENTRE = frozenset({"FC"})  # where films put what people say
_FRONT = frozenset({"FL", "FR"})
_BASS = frozenset({"LFE", "LFE2"})


def mixed(frame: AudioFrame) -> npt.NDArray[np.float32]:
    """The mean of a planar float frame's channels, from -1 to 1, float32 of shape (samples,).

    Channels weigh as in ITU-R BS.775: the centre 1, the left and the right one 0.71, surround 0.5, bass nothing. ffmpeg
    does not divide by the sum when it mixes floats, so loud sound would leave the range.
    """
    channels = np.asarray(frame.to_ndarray(), dtype=np.float32)
    weights = np.array([_weight(channel.name) for channel in frame.layout.channels], np.float32)
    if not weights.any():
        weights[:] = 1.0
    one: npt.NDArray[np.float32] = np.clip(channels.T @ (weights / weights.sum()), -1.0, 1.0)
    return one


def _weight(channel: str) -> float:
    if channel in _CENTRE:
        return 1.0
    if channel in _FRONT:
        return 0.7071
    return 0.0 if channel in _BASS else 0.5
