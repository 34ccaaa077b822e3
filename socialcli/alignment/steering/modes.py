"""Steering modes: which words are biased towards which regions, and how strongly.

`speaker` is the method's (arXiv 2511.17952). A third party adds a mode by returning it from the
`socialcli_steering_modes` hook. Every command imports this module, so it must not import NumPy; the plans are made in
`socialcli.alignment.steering.plans`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialcli.alignment.regions.sources import BOXES, Regions
from socialcli.errors import UsageError
from socialcli.perturbation.perturbation import Perturbation

if TYPE_CHECKING:
    from socialcli.alignment.plan import AlignmentPlan
    from socialcli.alignment.steering.prompt import SteeredPrompt

DEFAULT_MODE = "speaker"


@dataclass(frozen=True, slots=True)
class SteeringMode:
    """What is biased towards what. `plan(prompt, balance)` gives rows, columns, pairs and their weights."""

    name: str  # what --steer takes, and the column `steer` says
    summary: str
    plan: Callable[[SteeredPrompt, float], AlignmentPlan]
    balances: bool = False  # whether --balance has an effect
    of_transcript: bool = False  # whether all questions on a clip with the same words have the same plan
    decoding: bool = False  # whether tokens that the model writes are steered as the last prompt token is


def _speaker(prompt: SteeredPrompt, _balance: float) -> AlignmentPlan:
    from socialcli.alignment.steering.plans import towards_speaker

    return towards_speaker(prompt)


def _both_ways(prompt: SteeredPrompt, balance: float) -> AlignmentPlan:
    from socialcli.alignment.steering.plans import both_ways

    return both_ways(prompt, balance)


def _gaze(prompt: SteeredPrompt, _balance: float) -> AlignmentPlan:
    from socialcli.alignment.steering.plans import gaze

    return gaze(prompt)


SPEAKER = SteeringMode(
    DEFAULT_MODE, "a speaker's words towards the speaker's region (default)", _speaker, of_transcript=True
)
BOTH_WAYS = SteeringMode(
    "both-ways", "also towards the people who could be meant, and their labels towards them", _both_ways, balances=True
)
GAZE = SteeringMode("gaze", "the last prompt token towards the region in question, away from all else", _gaze)
GAZE_DECODING = SteeringMode("gaze-decoding", "gaze, and every token that the model writes", _gaze, decoding=True)

MODES = (SPEAKER, BOTH_WAYS, GAZE, GAZE_DECODING)


@dataclass(frozen=True, slots=True)
class Steering:
    """A steering mode with its setting, where its regions come from, and the annotation error of its plans, if any."""

    mode: SteeringMode = SPEAKER
    balance: float = 0.5  # the weight of the candidates, 0 to 1, for modes that have one
    perturbation: Perturbation | None = None  # None: plans are made from the annotation as it is
    regions: Regions = BOXES

    def plan(self, prompt: SteeredPrompt) -> AlignmentPlan:
        """The plan of a prompt, which the caller describes with the annotation error in place.

        Raises UsageError for a plan that cannot be used: the mode, perhaps a plug-in's, is at fault.
        """
        try:
            plan = self.mode.plan(prompt, self.balance)
            if self.mode.decoding and plan.rows.size > 1:
                raise ValueError("a mode that steers decoding steps must have one row: the last prompt token")
        except ValueError as error:
            raise UsageError(
                f"--steer {self.mode.name}: its plan cannot be used: {error}; use another mode, or mend the plug-in"
            ) from error
        return plan


METHOD = Steering()
