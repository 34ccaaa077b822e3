"""When two annotations agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from socialcli.episodes.tracks import MAX_GAP

Match = Literal["recording", "episode", "id"]
MATCHES: tuple[Match, ...] = get_args(Match)
"""How speakers are matched: once per recording, once per episode of the reference, or by their ids."""

LEAST_IOU = 0.5
COLLAR = 0.25  # seconds, as in the evaluations of NIST


@dataclass(frozen=True, slots=True)
class Criteria:
    """The options of a comparison."""

    match: Match = "recording"
    least_iou: float = LEAST_IOU  # above 0: boxes overlap enough from this intersection over union on
    collar: float = COLLAR  # seconds to each side of a boundary of the reference's speech
    box_gap: float = MAX_GAP  # seconds, as for `speaker_boxes`
