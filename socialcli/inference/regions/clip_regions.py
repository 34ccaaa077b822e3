"""What is known of a clip's people: their annotation under each error, and V(s, f) from each source.

Everything is computed once for all questions that can share it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from socialcli.alignment.grid import VisualGrid
from socialcli.alignment.plan import SpeakerTokens, cover_speakers
from socialcli.alignment.regions.cells import Attention, most_attended, of_everybody
from socialcli.alignment.regions.sources import GroundingHeads, Regions
from socialcli.episodes.records import Episode, Utterance
from socialcli.inference.clip_view import known_until
from socialcli.perturbation.perturbation import Perturbation, perturbed

Lines = tuple[str, ...]  # of one speaker, as a prompt shows them
Shown = Mapping[str, SpeakerTokens]  # V(s, f) by speaker

_NOTHING: Shown = MappingProxyType({})


class ClipRegions:
    """The regions of a clip's speakers."""

    def __init__(
        self,
        episode: Episode,
        until: float,
        box_gap: float,
        attention_of: Callable[[Lines, GroundingHeads], Attention | None],
    ) -> None:
        """Take the whole episode, the time in seconds up to which it may be known, and the first pass of the model."""
        self._whole, self._until, self._gap = episode, until, box_gap
        self._attention_of = attention_of
        self._annotations: dict[Perturbation | None, Episode] = {None: known_until(episode, until)}
        self._attention: dict[tuple[Lines, GroundingHeads], Attention | None] = {}
        self._grid: VisualGrid | None = None
        self._shown: dict[Hashable, Shown] = {}

    def annotation(self, error: Perturbation | None) -> Episode:
        """The episode with an annotation error; the one that prompts are made from has none."""
        if error is not None and error not in self._annotations:
            self._annotations[error] = known_until(perturbed(self._whole, error, self._gap), self._until)
        return self._annotations[error]

    def attention(self, lines: Lines, heads: GroundingHeads) -> Attention | None:
        """Where a speaker's lines look, by a first pass of the model; None if no head is active.

        Raises PromptError and ModelError.
        """
        key = lines, heads
        if key not in self._attention:
            self._attention[key] = self._attention_of(*key)
        return self._attention[key]

    def shown(
        self,
        regions: Regions,
        error: Perturbation | None,
        spoken: Mapping[str, Lines],
        grid: VisualGrid,
        times: Sequence[float],
    ) -> Shown:
        """V(s, f) of each speaker who has a region, the same object wherever it is the same.

        `spoken` are each speaker's lines of the prompt. The visual tokens have the same indices in every prompt on the
        clip, unless words stand before them. Runs the model for regions of the model alone; raises as `attention` does.
        """
        if self._grid is None or not _same_tokens(self._grid, grid):
            self._grid, self._shown = grid, {}
        key: Hashable = (regions, tuple(spoken.items())) if regions.by_model else (regions.source, error)
        if key not in self._shown:
            self._shown[key] = self._found(regions, error, spoken, grid, times)
        return self._shown[key]

    def _found(
        self,
        regions: Regions,
        error: Perturbation | None,
        spoken: Mapping[str, Lines],
        grid: VisualGrid,
        times: Sequence[float],
    ) -> Shown:
        if regions.heads is not None and regions.share is not None:
            looks = {speaker: self.attention(lines, regions.heads) for speaker, lines in spoken.items()}
            return {one: most_attended(at, grid, regions.share) for one, at in looks.items() if at is not None}
        if regions.source == "none":
            return _NOTHING
        annotated, exact = self.annotation(error), self.annotation(None)
        if error is not None and annotated.boxes == exact.boxes:  # an error in who says what
            return self.shown(regions, None, spoken, grid, times)
        shown = cover_speakers(annotated.boxes, times, grid, self._gap)
        return of_everybody(shown, [one.id for one in exact.speakers]) if regions.source == "people" else shown


def lines_by_speaker(utterances: Sequence[Utterance], lines: Sequence[str]) -> dict[str, Lines]:
    """The lines of each known speaker, as a prompt shows them."""
    spoken: defaultdict[str, list[str]] = defaultdict(list)
    for utterance, line in zip(utterances, lines, strict=True):
        if utterance.speaker is not None:
            spoken[utterance.speaker].append(line)
    return {speaker: tuple(said) for speaker, said in spoken.items()}


def _same_tokens(one: VisualGrid, other: VisualGrid) -> bool:
    return one.frames == other.frames and np.array_equal(one.tokens, other.tokens)
