"""Whose mouth moves, without weights: the change of the lower face from crop to crop, beyond that of the upper face.

The motion of one mouth says little. People also chew and smile, and listeners nod. On two talking heads side by side,
the louder moments fell to the mouth that moved more in 38 % of windows, less than by chance. So a mouth counts only
where it moves alone: `moving_alone` compares all faces of a shot, and abstains where two mouths move.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter1d

from socialcli.perception.contract import SAMPLE_RATE, Image, Sound
from socialcli.perception.voices import EnergyVoices

Motion = npt.NDArray[np.float32]

_RATE = 25.0  # crops a second for which MOVES is meant; motion at other rates is converted
MOVES = 0.02  # mean change of a mouth between two crops at 25 a second, as a share of the crop's contrast
_STILL = 0.5  # of MOVES: from here on a mouth may be moving, and nobody else's moves alone
_SECONDS = 0.48  # over which motion is averaged: two or three syllables
# Parts of a crop (see contract.CROP), as shares: (left, top, right, bottom).
_MOUTH = (0.3, 0.57, 0.7, 0.88)
_UPPER = (0.25, 0.2, 0.75, 0.48)


def mouth_motion(crops: Sequence[Image], rate: float) -> Motion:
    """How much a mouth moves at each crop of one face, shape (crops,), at least 0; MOVES and more is motion.

    The mean absolute change of the lower face from the crop before, minus that of the upper face, which moves with the
    head; as a share of the deviation of the crop's greys, for 25 crops a second, and averaged over half a second.
    """
    if len(crops) < 2:
        return np.zeros(len(crops), np.float32)
    changes = np.zeros(len(crops))
    before = _grey(crops[0])
    for index, crop in enumerate(crops[1:], start=1):
        grey = _grey(crop)
        change = np.abs(grey - before)
        beyond = _part(change, _MOUTH).mean() - _part(change, _UPPER).mean()
        changes[index] = max(float(beyond), 0.0) / max(float(grey.std()), 1.0)
        before = grey
    changes[0] = changes[1]
    width = max(round(_SECONDS * rate), 1)
    return np.asarray(uniform_filter1d(changes, width, mode="nearest") * rate / _RATE, dtype=np.float32)


def moving_alone(motions: Sequence[Motion]) -> list[npt.NDArray[np.bool_]]:
    """For each face, where its mouth moves and no other one may; all arrays are over the same frames.

    A frame in which a face is not seen is NaN: that face does not move, and keeps nobody from moving alone.
    """
    if not motions:
        return []
    table = np.nan_to_num(np.stack(motions), nan=0.0)
    restless = table >= _STILL * MOVES
    alone = (table >= MOVES) & (restless.sum(axis=0) == 1)
    return list(alone)


def motion_scores(crops: Sequence[Image], rate: float, sound: Sound) -> Motion:
    """Above 0 where the mouth moves while there is speech: motion relative to MOVES, less 1; else at most 0.

    It sees one face, so it cannot abstain where others move, too: ask `moving_alone` before trusting it.
    """
    scores = mouth_motion(crops, rate) / MOVES - 1
    times = (np.arange(len(crops)) + 0.5) / rate
    heard = np.zeros(len(crops), bool)
    for speech in EnergyVoices().speech([sound[: round(len(crops) / rate * SAMPLE_RATE)]]):
        heard |= (times >= speech.start) & (times < speech.end)
    return np.where(heard, scores, np.minimum(scores, 0)).astype(np.float32)


def _grey(crop: Image) -> npt.NDArray[np.float32]:
    """Rows and columns averaged in fours: the noise of a sensor and of a codec is no motion."""
    grey = crop.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    side = grey.shape[0] // 4 * 4
    if side < 32:
        return grey
    small: npt.NDArray[np.float32] = grey[:side, :side].reshape(side // 4, 4, side // 4, 4).mean(axis=(1, 3))
    return small


def _part(grey: npt.NDArray[np.float32], part: tuple[float, float, float, float]) -> npt.NDArray[np.float32]:
    left, top, right, bottom = (round(share * grey.shape[0]) for share in part)
    return grey[top:bottom, left:right]
