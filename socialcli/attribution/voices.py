"""What the voices of a recording say about who speaks, learned from the recording itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SURE = 4.0  # log-odds at most, either way: voices of a family resemble each other
LEAST_SPREAD = 0.02  # of similarities: a few utterances look more alike than a voice is
REFERENCE = 3.0  # utterances that a known voice stands for
_LEAST = 0.5  # utterances that a voice must be known from


def voice_evidence(voices: Floats, shares: Floats, references: Floats | None = None) -> Floats | None:
    """Log-odds (U, P) that the voices (U, D), of length 1, are those of the people, given who seems to have spoken.

    `shares` (U, P) are the probabilities that the people said the utterances; only those above one half count. Each
    voice is compared with the mean of the person's other utterances (cosine). The similarities of same and of different
    voices are two normal distributions of equal spread, whose log-odds are linear (linear discriminant analysis).
    `references` (P, D) are voices known beforehand. Unknown voices are rows of zeros, and their log-odds 0. None where
    nothing can be learned: no voice can be compared with its own and with another person's, or they do not differ.
    """
    similarity, known = _similarities(voices, np.clip(2 * shares - 1, 0, 1), references)
    own = shares > 0.5
    if not (known & own).any() and references is not None:  # nobody is known yet but by reference: the closest one
        own = similarity == np.where(known, similarity, -np.inf).max(axis=1, keepdims=True)
    same, other = similarity[known & own], similarity[known & ~own]
    if not same.size or not other.size or same.mean() <= other.mean():
        return None
    variance = max((same.var() + other.var()) / 2, LEAST_SPREAD**2)
    slope, middle = (same.mean() - other.mean()) / variance, (same.mean() + other.mean()) / 2
    return np.where(known, np.clip((similarity - middle) * slope, -SURE, SURE), 0.0)


def _similarities(voices: Floats, weights: Floats, references: Floats | None) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The cosine (U, P) of each voice with the mean of each person's other ones, and whether both are known."""
    heard = np.asarray(voices.any(axis=1))
    weights = np.where(heard[:, None], weights, 0.0)
    sums = weights.T @ voices + (0.0 if references is None else REFERENCE * references)
    others = sums[None] - weights[:, :, None] * voices[:, None]  # (U, P, D)
    lengths = np.linalg.norm(others, axis=-1)
    known = heard[:, None] & (lengths > _LEAST)
    products = np.einsum("ud,upd->up", voices, others)
    return np.divide(products, lengths, out=np.zeros_like(products), where=known), known
