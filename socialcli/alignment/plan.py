"""The plan of an alignment: which text tokens are biased towards which visual tokens. Pure geometry, no torch.

In the symbols of the method (arXiv 2511.17952): rows are U, columns are V_all, and `pairs[i, j]` says whether column j
is in V(speaker(u), f) for a frame f in F(u), where u is the utterance that row i belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from socialcli.alignment.grid import VisualGrid, covered
from socialcli.episodes.records import Box, Utterance
from socialcli.episodes.tracks import MAX_GAP, speaker_boxes

Indices = npt.NDArray[np.int64]
Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class AlignmentPlan:
    """Rows U and columns V_all as token indices of the unpadded sequence, ascending, and the pairs between them.

    `others` are the pairs with the regions of the other speakers in the same frames: they get no bias and serve as a
    contrast. `boxes_unseen` counts the boxes, over speakers and sampled frames, that cover no visual token.
    `utterances` counts those of the prompt, `covered` those with at least one pair: a visual token shows their speaker
    in their frames.

    A steering mode may give each pair a weight, of either sign, and rows whose attention does not select heads.
    """

    rows: Indices  # (R,)
    columns: Indices  # (C,) in the sequence, or among the keys of cross-attention
    pairs: npt.NDArray[np.bool_]  # (R, C)
    others: npt.NDArray[np.bool_]  # (R, C), disjoint from `pairs`
    boxes_unseen: int = 0
    utterances: int = 0
    covered: int = 0
    cross_attention: bool = False  # what `columns` count in
    weights: Weights | None = None  # (R, C): W = weight * the rule's bias; None: 1 on every pair
    tested: npt.NDArray[np.bool_] | None = None  # (R,) the rows of equation (1), which selects heads; None: all

    @property
    def tested_rows(self) -> npt.NDArray[np.bool_]:
        """The rows of equation (1), (R,)."""
        return np.ones(self.rows.size, dtype=np.bool_) if self.tested is None else self.tested

    def observing(self, token: int) -> AlignmentPlan:
        """The plan with one more row, `token`, behind the others: an observer sees it, and it changes nothing.

        It has no pair, and its attention does not select heads.
        """
        empty = np.zeros((1, self.columns.size), dtype=np.bool_)
        weights = self.weights
        return replace(
            self,
            rows=np.append(self.rows, token),
            pairs=np.concatenate([self.pairs, empty]),
            others=np.concatenate([self.others, empty]),
            weights=None if weights is None else np.concatenate([weights, empty.astype(weights.dtype)]),
            tested=np.append(self.tested_rows, False),
        )

    def shifted(self, padding: int) -> AlignmentPlan:
        """The same plan for a sequence padded with `padding` tokens in front."""
        columns = self.columns if self.cross_attention else self.columns + padding
        return replace(self, rows=self.rows + padding, columns=columns)


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerTokens:
    """The tokens that show one speaker: `tokens[t]` in temporal step t, V(s, f) for every frame f of the step."""

    tokens: tuple[Indices, ...]  # (steps), each (n,)
    unseen: int  # boxes that cover no token, over the sampled frames


def build_plan(
    utterances: Sequence[Utterance],
    token_spans: Sequence[Indices],
    grid: VisualGrid,
    times: Sequence[float],
    boxes: Sequence[Box],
    max_gap: float = MAX_GAP,
    shown: Mapping[str, SpeakerTokens] | None = None,
) -> AlignmentPlan:
    """Plan the alignment of `utterances`, whose tokens are `token_spans`, on frames at `times` (seconds).

    `shown` is the result of `cover_speakers` for the same boxes, times, grid and gap: pass it for all questions on a
    clip, to compute it once. Utterances without a known speaker have no rows. Raises ValueError if a visual token comes
    after a word in the sequence; all supported models put them first.
    """
    shown = cover_speakers(boxes, times, grid, max_gap) if shown is None else shown
    columns = _union(tokens for cover in shown.values() for tokens in cover.tokens)
    known = [(line, span) for line, span in zip(utterances, token_spans, strict=True) if line.speaker is not None]
    rows = _union(span for _, span in known)
    if not grid.cross_attention and rows.size and columns.size and columns[-1] >= rows[0]:
        raise ValueError("visual tokens must come before the words that are aligned to them")
    pairs = np.zeros((rows.size, columns.size), dtype=np.bool_)
    others = np.zeros_like(pairs)
    covered_utterances = 0
    for line, span in known:
        steps = utterance_steps(line, times, grid)
        own = np.isin(columns, _tokens_in(steps, [cover for name, cover in shown.items() if name == line.speaker]))
        anyone = np.isin(columns, _tokens_in(steps, shown.values()))
        pairs[np.searchsorted(rows, span)] |= own
        others[np.searchsorted(rows, span)] |= anyone & ~own
        covered_utterances += bool(span.size and own.any())
    unseen = sum(cover.unseen for cover in shown.values())
    return AlignmentPlan(
        rows,
        columns,
        pairs,
        others & ~pairs,
        boxes_unseen=unseen,
        utterances=len(utterances),
        covered=covered_utterances,
        cross_attention=grid.cross_attention,
    )


def cover_speakers(
    boxes: Sequence[Box], times: Sequence[float], grid: VisualGrid, max_gap: float = MAX_GAP
) -> dict[str, SpeakerTokens]:
    """V(s, f) of each speaker who has a box: the same for every question on a clip. Merged frames share their union."""
    return {speaker: _cover_track(track, grid) for speaker, track in speaker_boxes(boxes, times, max_gap).items()}


def utterance_frames(utterance: Utterance, times: Sequence[float]) -> tuple[int, ...]:
    """F(u): the sampled frames in [start, end] of the utterance, or else the nearest one (of two, the earlier)."""
    inside = tuple(i for i, time in enumerate(times) if utterance.start <= time <= utterance.end)
    if inside:
        return inside
    distances = [max(utterance.start - time, time - utterance.end) for time in times]
    return (distances.index(min(distances)),)


def utterance_steps(utterance: Utterance, times: Sequence[float], grid: VisualGrid) -> tuple[int, ...]:
    """The temporal steps that show the frames F(u)."""
    step_of_frame = grid.step_of_frame
    return tuple(sorted({step_of_frame[frame] for frame in utterance_frames(utterance, times)}))


def _cover_track(track: tuple[Box | None, ...], grid: VisualGrid) -> SpeakerTokens:
    masks = [None if box is None else covered(box, grid.cells) for box in track]
    tokens, unseen = [], 0
    for step, frames in enumerate(grid.frames):
        shown = grid.tokens[step] >= 0
        seen = np.zeros_like(shown)
        for frame in frames:
            if (mask := masks[frame]) is not None:
                seen |= mask
                unseen += not (mask & shown).any()
        tokens.append(np.sort(grid.tokens[step][seen & shown]))
    return SpeakerTokens(tuple(tokens), unseen)


def _tokens_in(steps: Sequence[int], coverages: Iterable[SpeakerTokens]) -> Indices:
    return _union(cover.tokens[step] for cover in coverages for step in steps)


def _union(parts: Iterable[Indices]) -> Indices:
    parts = list(parts)
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)
