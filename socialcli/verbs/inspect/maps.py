"""The attention of an utterance's words to the visual tokens, as shown in the attention pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from socialcli.verbs.inspect.heads import ShownHeads
from socialcli.verbs.inspect.report import InspectedUtterance

Map = npt.NDArray[np.float64]  # (steps, height, width), like the visual grid


@dataclass(frozen=True, slots=True, eq=False)
class AttentionMaps:
    """The attention (0 to 1) to each visual token, averaged over the utterance's tokens and the shown heads.

    `plain` is the model's own attention, `aligned` the attention with the bias. The prompt's other tokens get the rest,
    so the sum over all cells is at most 1.
    """

    line: InspectedUtterance
    shown: ShownHeads
    alignment: str  # its settings as text
    plain: Map
    aligned: Map
