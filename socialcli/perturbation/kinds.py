"""The kinds of annotation errors, each with its levels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from socialcli.episodes.records import Episode
from socialcli.errors import UnknownNameError, UsageError
from socialcli.perturbation import boxes, utterances
from socialcli.perturbation.draws import Draws


@dataclass(frozen=True, slots=True)
class PerturbationKind:
    """A kind of annotation error, whose size is a level; at level 0 there is no error."""

    name: str
    summary: str  # for tables and help: what is wrong
    unit: str  # what a level counts
    levels: tuple[float, ...]  # above 0, ascending: those that are tested by default
    apply: Callable[[Episode, float, Draws, float], Episode]  # for levels above 0; the last is --box-gap
    highest: float = 1.0  # the largest level with a meaning

    def check(self, level: float) -> None:
        """Raise UsageError for a level that the kind does not have."""
        if not (0 <= level <= self.highest and math.isfinite(level)):
            most = f"from 0 to {self.highest:g}" if math.isfinite(self.highest) else "of 0 or more"
            raise UsageError(f"{self.name}: a level is a number {most} ({self.unit}), not {level:g}")


KINDS: tuple[PerturbationKind, ...] = (
    PerturbationKind(
        "box-jitter",
        "each edge of a box moves at random",
        "standard deviation as a share of the box's size",
        (0.1, 0.25, 0.5),
        boxes.jittered,
        highest=math.inf,
    ),
    PerturbationKind(
        "box-drift",
        "a speaker's boxes move off steadily over the clip",
        "distance at the end of the clip in sizes of the box",
        (0.25, 0.5, 1.0),
        boxes.drifted,
        highest=math.inf,
    ),
    PerturbationKind("dropped-boxes", "boxes are missing", "share of the boxes", (0.25, 0.5, 0.9), boxes.dropped),
    PerturbationKind(
        "swapped-tracks", "speakers have each other's boxes", "share of the speakers", (0.25, 0.5, 1.0), boxes.swapped
    ),
    PerturbationKind(
        "one-box",
        "boxes grow until all people share one",
        "share of the way to the box around everybody",
        (0.25, 0.5, 1.0),
        boxes.merged,
    ),
    PerturbationKind(
        "side-by-side",
        "boxes reach into that of the nearest person",
        "share of the neighbour's box that is covered",
        (0.25, 0.5, 1.0),
        boxes.side_by_side,
    ),
    PerturbationKind(
        "time-shift",
        "boxes are late or early against the words",
        "seconds",
        (0.5, 1.0, 2.0),
        boxes.shifted,
        highest=math.inf,
    ),
    PerturbationKind(
        "wrong-speakers",
        "utterances are given to another speaker (diarization error)",
        "share of the utterances",
        (0.1, 0.25, 0.5),
        utterances.wrong_speaker,
    ),
    PerturbationKind(
        "off-screen",
        "utterances are said by somebody whom no frame shows",
        "share of the utterances",
        (0.25, 0.5, 1.0),
        utterances.off_screen,
    ),
    PerturbationKind(
        "missing-labels",
        "utterances have no speaker",
        "share of the utterances",
        (0.25, 0.5, 1.0),
        utterances.unlabelled,
    ),
    PerturbationKind("no-boxes", "clips have no box at all", "share of the clips", (0.25, 0.5, 1.0), boxes.removed),
)

_BY_NAME = {kind.name: kind for kind in KINDS}


def find_kind(name: str) -> PerturbationKind:
    """The kind with this name. Raises UnknownNameError."""
    if name not in _BY_NAME:
        raise UnknownNameError("kind of annotation error", name, _BY_NAME)
    return _BY_NAME[name]
