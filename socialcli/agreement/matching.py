"""Which speaker of one annotation is which of the other: one to one, so that what they share is largest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from socialcli.agreement.criteria import Match

_TIE = 1e-9

Weights = npt.NDArray[np.float64]
Partners = npt.NDArray[np.int64]


def matched(weights: Weights, reference: Sequence[str], other: Sequence[str], match: Match) -> Partners:
    """The partner of each speaker of the reference in each episode: (episodes, reference); -1: none.

    `weights`, (episodes, reference, other), say how much two speakers share in an episode. The sum over the pairs is
    maximal (Kuhn, "The Hungarian method for the assignment problem", 1955): over the whole recording, or episode by
    episode. Of pairs that share alike, equal ids win; speakers who share nothing are no pair. Under "id" equal ids are
    partners, whatever they share.
    """
    episodes = weights.shape[0]
    if match == "id":
        places = {name: place for place, name in enumerate(other)}
        return np.tile(np.array([places.get(name, -1) for name in reference], dtype=np.int64), (episodes, 1))
    same = np.array([[name == one for one in other] for name in reference], dtype=bool)
    weights = weights + _TIE * (same.reshape(weights.shape[1:]) & (weights > 0))
    if match == "recording":
        return np.tile(_assignment(weights.sum(axis=0)), (episodes, 1))
    return np.array([_assignment(one) for one in weights]).reshape(episodes, len(reference))


def of_partners(values: Weights, partners: Partners) -> Weights:
    """What `values`, (episodes, reference, other), are for partners: (episodes, reference); 0 without one.

    Partners of a whole recording may have a single row.
    """
    if not values.shape[2]:
        return np.zeros(values.shape[:2])
    partners = np.broadcast_to(partners, values.shape[:2])
    chosen = np.take_along_axis(values, np.maximum(partners, 0)[:, :, None], axis=2)[:, :, 0]
    return np.where(partners >= 0, chosen, 0.0)


def _assignment(weights: Weights) -> Partners:
    from scipy.optimize import linear_sum_assignment  # imported late: slow

    partners = np.full(weights.shape[0], -1)
    rows, columns = linear_sum_assignment(weights, maximize=True)
    good = weights[rows, columns] > 0
    partners[rows[good]] = columns[good]
    return partners
