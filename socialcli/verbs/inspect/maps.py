"""Where the words of an utterance look, as numbers: what the pictures of attention show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socialcli.verbs.inspect.heads import ShownHeads
from socialcli.verbs.inspect.report import InspectedUtterance

Map = npt.NDArray[np.float64]  # (steps, height, width), as the visual grid


@dataclass(frozen=True, slots=True, eq=False)
class AttentionMaps:
    """The attention (0 to 1) to each visual token: the mean over the utterance's tokens and over the shown heads.

    `plain` is that of the model by itself, `aligned` that after the bias. The prompt's other tokens get the rest: the
    sum over all cells is at most 1.
    """

    line: InspectedUtterance
    shown: ShownHeads
    alignment: str  # its settings, in words
    plain: Map
    aligned: Map
