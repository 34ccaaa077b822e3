"""An episode with annotation errors of one kind and level.

Only what decides the plan of an alignment changes: the boxes, and the speakers of the utterances. Speakers, questions,
words and times stay, so that a prompt made from the original and a plan made from the result fit together.
"""

from __future__ import annotations

from dataclasses import dataclass

from socialcli.episodes.records import Episode
from socialcli.episodes.tracks import MAX_GAP
from socialcli.perturbation.draws import Draws
from socialcli.perturbation.kinds import find_kind


@dataclass(frozen=True, slots=True)
class Perturbation:
    """An annotation error. Raises UnknownNameError for an unknown kind, UsageError for a level that it lacks."""

    kind: str  # a name in KINDS
    level: float  # in the unit of the kind; 0: no error
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the kind and the level."""
        find_kind(self.kind).check(self.level)


def perturbed(episode: Episode, perturbation: Perturbation, box_gap: float = MAX_GAP) -> Episode:
    """The episode with the error in its annotation: the very same object at level 0.

    `box_gap`: seconds over which boxes are interpolated, for errors that depend on where the others are.

    Draws depend on the seed, the kind and the episode's id, and not on the level (see `socialcli.perturbation.draws`).
    For questions that may not see the end of a clip, perturb the whole episode and cut it afterwards.
    """
    if not perturbation.level:
        return episode
    draws = Draws(perturbation.seed, perturbation.kind, episode.episode_id)
    return find_kind(perturbation.kind).apply(episode, perturbation.level, draws, box_gap)
